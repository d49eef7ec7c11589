import { Engine, type Step } from "../engine/engine.ts";
import { memoryStore } from "../engine/store/open.ts";
import type { JobRow, Store } from "../engine/store/store.ts";
import type { World } from "../term/world.ts";
import { MemoryLogs } from "./memory-logs.ts";
import { MortalStore } from "./mortal-store.ts";
import { mortalClock, TestClock } from "./test-clock.ts";

export interface RigOptions {
  /** Default: one in memory. */
  readonly store?: Store;
  /** Default: a new one, at the start of 2026. */
  readonly clock?: TestClock;
  /** Default: `repeatable(1)`. */
  readonly random?: () => number;
  /** Told of faults of the program; default: they are thrown, where the test runner sees them. */
  readonly onFault?: (error: unknown) => void;
  /** Called at each point where the process could die; true kills it there. */
  readonly dies?: (point: string) => boolean;
}

/**
 * An engine in virtual time, with everything in memory: for tests of terms, and of pipelines made of them.
 *
 * @example
 * const rig = createRig();
 * const branch = dummyMonitor("acme/web/heads", textCodec);
 * const { term } = monitor(rig.engine, { key: "acme/web/heads", label: "heads", kind: "source" }, branch.spec);
 * branch.set("1a2b");
 * await rig.clock.advance(60_000);
 * graphText(rig.engine); // "acme/web/heads  ok"
 */
export interface Rig {
  readonly clock: TestClock;
  readonly engine: Engine;
  readonly world: World;
  /** The store beneath: it outlives the engine. */
  readonly store: Store;
  readonly logs: MemoryLogs;
  /** Asked by whoever answers the engine: false when it is dead (by then). */
  readonly alive: (point: string) => boolean;
  /** kill -9: the engine does, writes and hears nothing any more. */
  kill(): void;
  /** After `kill`: a new engine on the same store, with the next epoch. Jobs left open are marked as interrupted. */
  restart(options?: Pick<RigOptions, "dies">): Promise<Rig>;
}

export function createRig(options: RigOptions = {}): Rig {
  const clock = options.clock ?? new TestClock();
  const store = options.store ?? memoryStore({ clock });
  return start({ ...options, clock, store, random: options.random ?? repeatable(1) }, 1);
}

type Parts = RigOptions & Required<Pick<RigOptions, "clock" | "store" | "random">>;

function start(parts: Parts, epoch: number): Rig {
  const { clock, store, random } = parts;
  let lives = true;
  const alive = (point: string): boolean => {
    if (lives && parts.dies?.(point) === true) lives = false;
    return lives;
  };
  const mortal = mortalClock(clock, () => lives);
  const logs = new MemoryLogs(mortal);
  const fault = parts.onFault === undefined ? {} : { onFault: parts.onFault };
  const engine = new Engine({ clock: mortal, store: new MortalStore(store, epoch, alive), logs, random, ...fault });
  const kill = (): void => {
    lives = false;
    engine.close();
  };
  const restart = async (more: Pick<RigOptions, "dies"> = {}): Promise<Rig> => {
    kill();
    await clock.settle();
    const { dies: _dies, ...rest } = parts;
    const next = start({ ...rest, ...more }, epoch + 1);
    void next.engine.jobs.closeOrphans(); // not awaited: the new process may die of it
    await clock.settle();
    return next;
  };
  return { clock, engine, world: engine.world, store, logs, alive, kill, restart };
}

/** Numbers from 0 to 1 that look random and are the same again for the same seed (mulberry32). */
export function repeatable(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Everything that happens in an engine from now on, a line each: steps with their events and boxes, and jobs. */
export function trace(engine: Engine): readonly string[] {
  const lines: string[] = [];
  engine.steps.subscribe((step) => lines.push(...stepLines(step)));
  engine.jobs.changes.subscribe((id) => lines.push(jobLine(engine.jobs.newest(id) ?? engine.store.queries.job(id))));
  return lines;
}

const stepLines = ({ number, events, changed }: Step): readonly string[] => [
  `step ${number}`,
  ...events.map(({ id, atMs, kind, subject, detail }) => `event ${id} ${atMs} ${kind} ${subject}: ${detail}`),
  ...changed.map((term) => `term ${term.key} ${JSON.stringify([term.output, term.metadata])}`),
];

const jobLine = (row: JobRow | undefined): string =>
  row === undefined ? "job gone" : `job ${row.id} ${row.state} ${row.startedMs} ${row.endedMs} ${row.error?.code}`;
