import { type Failure, seenFrom } from "../../term/output.ts";
import type { Answer } from "../../term/term.ts";
import type { Engine } from "../engine.ts";
import { brief } from "../graph-view.ts";
import type { ServiceView } from "../view.ts";
import type { TargetLane } from "./lane.ts";
import type { Deployed } from "./lane-face.ts";
import { type Change, type Observed, UNKNOWN_UNTIL_BUILT } from "./target.ts";

/** A target as it was declared. */
export interface Declared {
  readonly name: string;
  readonly host: string;
  /** As rights and reports name it: `shop_web`, `shop_web@east`. */
  readonly place: string;
  readonly url?: string;
  /** `owner/name branch`. */
  readonly source: string;
  readonly at: string;
}

/** What runs on a machine, as rights and reports name it: on another one it is something else. */
export const placeName = (name: string, host: string): string => (host === "here" ? name : `${name}@${host}`);

/** A lane whatever its types, with what pages and plans want of it. */
export interface Service {
  readonly declared: Declared;
  readonly term: string;
  readonly lane: string;
  readonly kind: string;
  view(engine: Engine): ServiceView;
  /** What a deploy would change now; undefined while the target has not been seen. */
  changes(): readonly Change[] | undefined;
  /** Why there is nothing to move; undefined when there is, or it is not known. */
  missing(): Failure | undefined;
  /** Why what is wanted does not run though it is there; undefined when it does, or it is not known. */
  down(): Failure | undefined;
  answer(): Answer<Deployed>;
  adopt(who: string): ReturnType<TargetLane<unknown, unknown, Observed, unknown>["adopt"]>;
  /** Whether nothing is under way in it. */
  asleep(): boolean;
  stop(): void;
}

export function serviceOf<Spec, W, Seen extends Observed, Ref>(
  lane: TargetLane<Spec, W, Seen, Ref>,
  declared: Declared,
): Service {
  const { kind, spec } = lane;
  return {
    declared,
    term: lane.options.term,
    lane: lane.name,
    kind: kind.kind,
    view: (engine) => viewOf(engine, lane, declared),
    changes: () =>
      lane.lastSeen === undefined ? undefined : kind.plan(spec, lane.lastSeen, lane.want?.value ?? UNKNOWN_UNTIL_BUILT),
    missing: () => lane.missing(),
    down: () => lane.down(),
    answer: () => lane.answer.value,
    adopt: (who) => lane.adopt(who),
    asleep: () => lane.asleep,
    stop: () => lane.stop(),
  };
}

function viewOf<Spec, W, Seen extends Observed, Ref>(
  engine: Engine,
  lane: TargetLane<Spec, W, Seen, Ref>,
  declared: Declared,
): ServiceView {
  const term = engine.world.terms.get(lane.options.term);
  const { output, metadata } = lane.answer.value;
  const running = lane.lastSeen?.running;
  const { last } = lane;
  const verified = last?.state === "verified" ? last : undefined;
  const job = lane.openJob ?? last?.job;
  const trouble = (output.state === "failed" ? output.failure : lane.missing())?.message;
  return {
    term: lane.options.term,
    kind: lane.kind.kind,
    ...declared,
    state: seenFrom(term?.output ?? output, lane.options.term),
    ...(lane.want === undefined ? {} : { wanted: lane.want.running }),
    ...(running === undefined ? {} : { running }),
    ...(verified === undefined ? {} : { sinceMs: verified.endedMs }),
    ...(job === undefined ? {} : { job }),
    detail: brief(trouble ?? metadata.detail ?? ""),
    drift: lane.options.drift ?? "report",
    adoptable: lane.adoptable,
  };
}
