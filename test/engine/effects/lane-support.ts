import { deploy } from "../../../src/engine/effects/deploy.ts";
import type { DriftPolicy } from "../../../src/engine/effects/drift.ts";
import type { LaneOptions } from "../../../src/engine/effects/lane-core.ts";
import type { Deployed } from "../../../src/engine/effects/lane-face.ts";
import type { IntentRow, JobRow } from "../../../src/engine/store/store.ts";
import { type Result, success } from "../../../src/term/output.ts";
import type { Term } from "../../../src/term/term.ts";
import {
  createRig,
  type DummyInput,
  dummyInput,
  FakeWorld,
  type Rig,
  type RigOptions,
  TestClock,
} from "../../../src/testing/index.ts";
import { box } from "../cache/support.ts";

/** A lane of the fake world, with a wanted value that the test sets. */
export interface Deploying {
  readonly rig: Rig;
  readonly world: FakeWorld;
  readonly input: DummyInput<string>;
  readonly term: Term<Deployed>;
  readonly lane: ReturnType<typeof laneOf>["lane"];
  /** What the re-read head says; default: all is well. */
  fresh: () => Promise<Result<unknown>>;
  /** Lets this much time pass; a minute when it is not said. */
  readonly pass: (ms?: number) => Promise<void>;
  /** `ok value`, `active phase`, `failed CODE message`. */
  readonly shows: () => string;
  /** The intents of the lane, oldest first: `generation state`. */
  readonly intents: () => readonly string[];
  readonly rows: () => readonly IntentRow[];
  readonly jobs: () => readonly JobRow[];
  /** Values that were put on the thing, in order. */
  readonly moves: () => readonly string[];
  readonly verbs: () => readonly string[];
  /** kill -9, and a new process; the wanted value is the given one, if any. */
  readonly restart: (wanted?: string, more?: Pick<DeployOptions, "dies" | "drift">) => Promise<Deploying>;
}

export interface DeployOptions extends RigOptions {
  readonly name?: string;
  readonly owner?: string;
  readonly drift?: DriftPolicy;
  readonly world?: FakeWorld;
}

/** A rig with one thing in its world, `web`, that runs `old`. */
export function deploying(options: DeployOptions = {}, wanted?: string): Deploying {
  const clock = options.clock ?? new TestClock();
  const world = options.world ?? new FakeWorld(clock);
  const { name = "web" } = options;
  if (options.world === undefined) world.byHand(name, { running: "old" });
  return on(createRig({ ...options, clock }), world, options, wanted);
}

/** The same on a rig that is there. */
export function on(rig: Rig, world: FakeWorld, options: DeployOptions, wanted?: string): Deploying {
  const { name = "web", owner = "demo", drift = "report" } = options;
  const input = dummyInput(rig.engine, box(`${name}/image`), ...(wanted === undefined ? [] : [wanted]));
  const made: { fresh: () => Promise<Result<unknown>> } = { fresh: async () => success(undefined) };
  const { term, lane } = laneOf(rig, world, name, input, { owner, drift, fresh: () => made.fresh() });
  const rows = (): readonly IntentRow[] => rig.store.queries.intents({ lane: `fake/${name}` }).toReversed();
  const arrivals = () => world.arrivals.filter((arrival) => arrival.name === name);
  return Object.assign(made, {
    rig,
    world,
    input,
    term,
    lane,
    pass: (ms = 60_000) => rig.clock.advance(ms),
    shows: () => shown(term),
    intents: () => rows().map(({ generation, state }) => `${generation} ${state}`),
    rows,
    jobs: () => rig.store.queries.jobs({ term: `${name}/deploy` }).toReversed(),
    moves: () => world.moves.filter((move) => move.name === name).map(({ value }) => value),
    verbs: () => arrivals().map(({ verb, conflict }) => `${verb}${conflict ? " conflict" : ""}`),
    restart: async (next?: string, more: Pick<DeployOptions, "dies" | "drift"> = {}) => {
      const restarted = await rig.restart(more);
      return on(restarted, world, { ...options, ...more }, next);
    },
  });
}

const laneOf = (
  rig: Rig,
  world: FakeWorld,
  name: string,
  input: DummyInput<string>,
  options: Pick<LaneOptions, "owner" | "drift" | "fresh">,
) => deploy(rig.engine, box(`${name}/deploy`), world.kind(rig), name, input.term, options);

function shown({ output }: Term<Deployed>): string {
  if (output.state === "ok") return `ok ${output.value.running}`;
  if (output.state === "active") return `active ${output.phase}`;
  return `failed ${output.failure.code} ${output.failure.message}`;
}
