import { Dice } from "./dice.ts";
import { shapes } from "./shapes.ts";

/** What a commit is worth: its build fails, or its image never gets healthy, or it takes long to start. */
export type Quality = "good" | "slow" | "unbuildable" | "crashing";

/**
 * What becomes of a write to a target: its answer is lost · it lands later than its answer is given up · it takes long ·
 * it gets lost · the engine answers 500 though it took it.
 */
export type Mishap = "answer lost" | "late" | "slow" | "lost" | "ill answer";

/** Something that happens outside of the product, or to it. */
export type Act =
  | { readonly do: "push"; readonly branch: number; readonly quality: Quality }
  /** A new commit with the files of the one before. */
  | { readonly do: "same files"; readonly branch: number }
  /** A force-push to an earlier commit. */
  | { readonly do: "back"; readonly branch: number }
  /** A force-push to the commit before. */
  | { readonly do: "undo"; readonly branch: number }
  | { readonly do: "delete"; readonly branch: number }
  | { readonly do: "outage"; readonly of: string; readonly forMs: number; readonly silent: boolean }
  | { readonly do: "mishaps"; readonly next: readonly Mishap[] }
  | { readonly do: "by hand"; readonly service: number; readonly change: "image" | "label" }
  | { readonly do: "prune" }
  | { readonly do: "disk full"; readonly forMs: number; readonly pages: number }
  | { readonly do: "disk error"; readonly downMs: number }
  | { readonly do: "crash"; readonly downMs: number }
  /** Dies at the n-th point from now where it waits for something (of this name); and then the head moves. */
  | {
      readonly do: "crash at";
      readonly point: number;
      readonly of: string;
      /** The next write takes long to arrive. */
      readonly late?: boolean;
      readonly downMs: number;
      readonly meanwhile?: Extract<Act, { readonly branch: number }>;
    }
  | { readonly do: "stop"; readonly downMs: number }
  | { readonly do: "threshold"; readonly to: "none" | "average" | "dangerous" }
  | { readonly do: "press"; readonly button: "cancel" | "rebuild" | "start"; readonly which: number };

export interface Timed {
  readonly atMs: number;
  readonly act: Act;
}

/** A seed, spelled out: a list of acts that can also be run in part. */
export interface Plan {
  readonly seed: number;
  readonly shape: number;
  readonly acts: readonly Timed[];
  /** Whether every branch gets a good commit when the faults have ended: then that is what must run. */
  readonly lastPush: boolean;
}

const OUTAGES = ["forge", "registry", "engine", "alpha", "beta"];
const MINUTE_MS = 60_000;
/** How long faults happen, in milliseconds. */
export const CHAOS_MS = 10 * MINUTE_MS;

export function planOf(seed: number): Plan {
  const dice = new Dice(seed);
  const shape = dice.chance(0.35) ? 1 : 0;
  const branches = shapes[shape]?.branches ?? [];
  const services = branches.flatMap((one) => one.services).length;
  const acts: Timed[] = branches.map((_, branch) => ({
    atMs: dice.between(100, 20_000),
    act: { do: "push", branch, quality: "good" },
  }));
  const count = dice.between(5, 16);
  const add = (atMs: number): void => {
    const act = anAct(dice, branches.length, services);
    acts.push({ atMs, act });
    // something must be on its way to die of
    if (act.do === "crash at" && act.meanwhile !== undefined)
      acts.push({ atMs, act: { do: "push", branch: act.meanwhile.branch, quality: "good" } });
  };
  for (let n = 0; n < count; n += 1) {
    const atMs = dice.between(0, CHAOS_MS);
    add(atMs);
    // what meets is what matters: a push and a death soon after it
    if (dice.chance(0.5)) add(Math.min(CHAOS_MS, atMs + dice.between(0, 90_000)));
  }
  return { seed, shape, acts: acts.toSorted((a, b) => a.atMs - b.atMs), lastPush: dice.chance(0.5) };
}

const kinds: readonly (readonly [number, (dice: Dice, branches: number, services: number) => Act])[] = [
  [18, (dice, branches) => ({ do: "push", branch: dice.between(0, branches - 1), quality: quality(dice) })],
  [3, (dice, branches) => ({ do: "same files", branch: dice.between(0, branches - 1) })],
  [8, (dice, branches) => ({ do: "back", branch: dice.between(0, branches - 1) })],
  [4, (dice, branches) => ({ do: "undo", branch: dice.between(0, branches - 1) })],
  [2, (dice, branches) => ({ do: "delete", branch: dice.between(0, branches - 1) })],
  [
    8,
    (dice) => ({ do: "outage", of: dice.pick(OUTAGES), forMs: dice.between(1, 150) * 1_000, silent: dice.chance(0.3) }),
  ],
  [10, (dice) => ({ do: "mishaps", next: Array.from({ length: dice.between(1, 3) }, () => dice.pick(MISHAPS)) })],
  [3, (dice, _, services) => ({ do: "by hand", service: dice.between(0, services - 1), change: "image" })],
  [4, (dice, _, services) => ({ do: "by hand", service: dice.between(0, services - 1), change: "label" })],
  [1, () => ({ do: "prune" })],
  [4, (dice) => ({ do: "disk full", forMs: dice.between(5, 120) * 1_000, pages: dice.between(0, 4) })],
  [1, (dice) => ({ do: "disk error", downMs: down(dice) })],
  [8, (dice) => ({ do: "crash", downMs: down(dice) })],
  [8, (dice) => ({ do: "crash at", of: "", point: dice.between(1, 60), downMs: down(dice) })],
  [14, (dice, branches) => crashAtWrite(dice, branches)],
  [3, (dice) => ({ do: "stop", downMs: down(dice) })],
  [3, (dice) => ({ do: "threshold", to: dice.pick(["none", "none", "average", "dangerous"] as const) })],
  [
    6,
    (dice) => ({ do: "press", button: dice.pick(["cancel", "rebuild", "start"] as const), which: dice.between(0, 9) }),
  ],
];

/** Deaths around a write to a target, where they hurt most; meanwhile somebody pushes. */
function crashAtWrite(dice: Dice, branches: number): Act {
  const late = dice.chance(0.6);
  const of = late
    ? "sent a write"
    : dice.pick(["sent a write", "before a write", "answer of a write", "commit intent"]);
  const crash = { do: "crash at", of, point: late ? 1 : dice.between(1, 2), late, downMs: down(dice) } as const;
  const branch = dice.between(0, branches - 1);
  const moves = ["undo", "undo", "undo", "back", "same files"] as const;
  return dice.chance(0.3) ? crash : { ...crash, meanwhile: { do: dice.pick(moves), branch } };
}

const MISHAPS: readonly Mishap[] = ["answer lost", "late", "late", "slow", "lost", "ill answer"];
const WEIGHT = kinds.reduce((sum, [weight]) => sum + weight, 0);

function anAct(dice: Dice, branches: number, services: number): Act {
  let left = dice.between(1, WEIGHT);
  for (const [weight, make] of kinds) {
    left -= weight;
    if (left <= 0) return make(dice, branches, services);
  }
  throw new Error("the weights do not add up");
}

const quality = (dice: Dice): Quality =>
  dice.pick(["good", "good", "good", "good", "slow", "slow", "unbuildable", "crashing", "crashing"] as const);

const down = (dice: Dice): number => (dice.chance(0.6) ? dice.between(200, 3_000) : dice.between(3, 180) * 1_000);
