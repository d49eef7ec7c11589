import type { Failure, Result } from "../../term/output.ts";
import { backoffMs } from "../backoff.ts";
import type { Engine } from "../engine.ts";
import type { DriftPolicy } from "./drift.ts";
import { Health } from "./health.ts";
import { LaneFace } from "./lane-face.ts";
import { LaneJob } from "./lane-job.ts";
import { LaneState } from "./lane-state.ts";
import type { Lane, Observed, TargetKind } from "./target.ts";
import { Waker } from "./waker.ts";
import type { Wanted } from "./wants.ts";

/** How long until a target is looked at again, in milliseconds: at rest, when something is wrong, while it moves. */
export const REST_MS = 60_000;
export const TROUBLE_MS = 15_000;
export const MOVING_MS = 1_000;

/** What may not answer, each with a back-off of its own: the target, the head of the branch, a change that is followed. */
type Silent = "target" | "head" | "settling";
/** A forge that is out of order is asked by all its lanes at once, a target only by its own. */
const RETRY_MS_MAX: Readonly<Record<Silent, number>> = { target: TROUBLE_MS, head: REST_MS, settling: TROUBLE_MS };

export interface LaneOptions {
  /** Key of the deploy term. */
  readonly term: string;
  /** The flavour. */
  readonly owner: string;
  /**
   * Re-reads the head that the wanted value came from, and says whether what is to run may; a failure delays the deploy.
   */
  readonly fresh: (running: string) => Promise<Result<unknown>>;
  /** What is done about a change by hand. Default: it is reported. */
  readonly drift?: DriftPolicy;
}

/** What all that a lane does works on: what it knows, its job, what it shows, and its sleep. */
export class LaneCore<Spec, W, Seen extends Observed, Ref> {
  readonly engine: Engine;
  readonly kind: TargetKind<Spec, W, Seen, Ref>;
  readonly spec: Spec;
  readonly options: LaneOptions;
  readonly name: Lane;
  readonly state: LaneState<Spec, W, Seen, Ref>;
  readonly job: LaneJob;
  readonly waker: Waker;
  readonly face: LaneFace;
  readonly health: Health;
  /** Nothing more is begun. */
  stopped = false;
  /** The change by hand that was told of last. */
  noticed: string | undefined;
  /** Failures in a row, by what did not answer: a target that answers says nothing about the head. */
  readonly #tries: Record<Silent, number> = { target: 0, head: 0, settling: 0 };
  /** The generation that the failures of the head are counted for: what is newly wanted is not kept waiting. */
  #headOf = 0;
  /** For looks that nobody cancels. */
  readonly #patient = new AbortController().signal;

  constructor(engine: Engine, kind: TargetKind<Spec, W, Seen, Ref>, spec: Spec, options: LaneOptions) {
    this.engine = engine;
    this.kind = kind;
    this.spec = spec;
    this.options = options;
    this.name = kind.lane(spec);
    this.state = new LaneState(engine, kind, { drift: "report", ...options, lane: this.name });
    const about = {
      op: kind.kind,
      term: options.term,
      key: this.name,
      description: kind.describe(spec),
      level: kind.level,
    };
    this.job = new LaneJob(engine, about, () => this.#showJob());
    this.waker = new Waker(engine.clock);
    this.health = new Health(engine.clock, this.state.intents.last?.state);
    this.face = new LaneFace(engine, options.term, () => this.job.id ?? this.state.intents.last?.job);
  }

  get want(): Wanted<W> | undefined {
    return this.state.wants.current;
  }

  async observe(): Promise<void> {
    const seen = await this.kind.observe(this.spec, this.job.current?.signal ?? this.#patient);
    this.health.look(seen.ok ? seen.value : undefined);
    if (seen.ok) {
      this.answered("target");
      this.state.seen = seen.value;
    } else if (this.job.current?.stopped === undefined) await this.unreachable("target", seen.error);
  }

  /** What did not answer does again: the next failure is a first one. */
  answered(what: Silent): void {
    this.#tries[what] = 0;
  }

  /** Shown as failed, and tried again later and later. */
  async unreachable(what: Silent, error: Failure): Promise<void> {
    const { generation = 0 } = this.want ?? {};
    if (what === "head" && generation !== this.#headOf) {
      this.#headOf = generation;
      this.answered("head");
    }
    const delayMs = Math.min(RETRY_MS_MAX[what], backoffMs(this.#tries[what], this.engine.random()));
    this.#tries[what] += 1;
    this.job.log(`${error.message}; trying again`);
    this.face.failed({ ...error, retryAtMs: this.engine.clock.now() + delayMs });
    await this.sleep(delayMs);
  }

  /** Shown as failed; looked at again after a while, since a person may mend it on the target. */
  async trouble(error: Failure, forMs = TROUBLE_MS): Promise<void> {
    await this.endJob(error);
    this.face.failed(error);
    await this.sleep(forMs);
  }

  /** What one job was cleared for, the next is not. */
  async endJob(error: Failure | undefined): Promise<void> {
    this.state.cleared = undefined;
    await this.job.end(error);
  }

  async sleep(forMs: number): Promise<void> {
    await this.waker.sleep(forMs);
    this.state.seen = undefined;
  }

  #showJob(): void {
    const state = this.job.current?.row.state;
    const detail = this.want?.repair === true ? "repair: it was changed by hand" : undefined;
    if (state !== undefined) this.face.active(state === "waiting" || state === "ready" ? state : "running", detail);
  }
}
