// What a round does to the server: chosen by the seed alone, so that the same seed does the same again.

/** When a strike begins: at the birth of the process, right before a push, or when an intent is open. */
export type Moment = "birth" | "push" | "open";

/** Kills the server … */
export type Weapon =
  /** … instead of the nth of these system calls in one of its threads. */
  | { readonly by: "call"; readonly calls: string; readonly nth: number }
  /** … while its first n such writes are on the way: none has arrived yet, or no answer is back yet. */
  | { readonly by: "write"; readonly to: "service" | "tag"; readonly side: "request" | "answer"; readonly nth: number }
  | { readonly by: "time"; readonly afterMs: number };

export interface Strike {
  readonly from: Moment;
  readonly weapon: Weapon;
  /** A weapon that never finds its moment is followed by a plain kill. */
  readonly limitMs: number;
  /** What is pushed while the server is dead: nothing, something new, or what ran before. */
  readonly meanwhile: "nothing" | "newer" | "back";
}

export interface Round {
  /** Which of the branches get a new commit. */
  readonly branches: readonly string[];
  /** One life of the server each. */
  readonly strikes: readonly Strike[];
  /** When writes of dead servers that were held up go on: at the start of the last server, or when all has settled. */
  readonly lateWrites: "at the start" | "at the end";
}

export interface Means {
  readonly branches: readonly string[];
  /** Without it nothing is killed at a system call. */
  readonly strace: boolean;
}

interface Calls {
  readonly calls: string;
  /** So many does a server make from a push to the end of its deploys: measured, and rounded down. */
  readonly most: number;
}
const COMMITS: readonly Calls[] = [
  { calls: "fsync,fdatasync", most: 40 },
  { calls: "pwrite64", most: 500 },
];
const ALL: readonly Calls[] = [
  ...COMMITS,
  { calls: "write,writev,sendto,sendmsg", most: 500 },
  { calls: "connect", most: 15 },
];

/** The next round. */
export function planRound(random: () => number, means: Means): Round {
  const strikes = [planFirst(random, means)];
  const more = below(random, 3);
  for (let index = 0; index < more; index += 1) strikes.push(planLater(random, means));
  return {
    branches: random() < 0.9 ? means.branches : [pick(random, means.branches)],
    strikes,
    lateWrites: random() < 0.5 ? "at the start" : "at the end",
  };
}

/** In the server that gets the push. */
function planFirst(random: () => number, means: Means): Strike {
  const dice = random();
  if (dice < 0.45) return planWrite(random, "push");
  if (means.strace && dice < 0.85) return planCall(random, random() < 0.3 ? "push" : "open");
  return planTime(random, "open");
}

/** In a server that finds what a dead one has left. */
function planLater(random: () => number, means: Means): Strike {
  const dice = random();
  if (dice < 0.2) return planWrite(random, "birth");
  if (means.strace && dice < 0.75) return planCall(random, random() < 0.5 ? "birth" : "open");
  return planTime(random, random() < 0.5 ? "birth" : "open");
}

function planWrite(random: () => number, from: Moment): Strike {
  const to = random() < 0.9 ? "service" : "tag";
  const side = pick(random, ["request", "answer"] as const);
  const nth = to === "tag" ? 1 + below(random, 2) : pick(random, [1, 2, 4, 5, 6, 7, 8, 8]);
  const meanwhile = side === "request" ? (["nothing", "newer", "back", "back"] as const) : MEANWHILE;
  return { from, weapon: { by: "write", to, side, nth }, limitMs: 6_000, meanwhile: pick(random, meanwhile) };
}

function planCall(random: () => number, from: Moment): Strike {
  // At birth git would be hit, which is its child and writes too.
  const { calls, most } = pick(random, from === "birth" ? COMMITS : ALL);
  // Early ones more often: an intent is recorded, sent and recorded as in within the first few.
  const nth = Math.ceil((most / SHARE[from]) ** random());
  return { from, weapon: { by: "call", calls, nth }, limitMs: limit(random, from), meanwhile: pick(random, MEANWHILE) };
}

function planTime(random: () => number, from: Moment): Strike {
  const afterMs = below(random, limit(random, from));
  return { from, weapon: { by: "time", afterMs }, limitMs: 5_000, meanwhile: pick(random, MEANWHILE) };
}

/** Of the calls between a push and its end, so many are made from this moment on: all, a half, a quarter. */
const SHARE: Readonly<Record<Moment, number>> = { push: 1, open: 2, birth: 4 };
const MEANWHILE = ["nothing", "nothing", "nothing", "nothing", "newer", "back"] as const;

/** While there is likely something left to interrupt. */
const limit = (random: () => number, from: Moment): number => (from === "open" ? 800 : 1_500) + below(random, 2_000);

/** One line for people. */
export function strikeText({ from, weapon, meanwhile }: Strike): string {
  const then = meanwhile === "nothing" ? "" : `, then a push of something ${meanwhile === "back" ? "older" : "newer"}`;
  return `from ${from}: ${weaponText(weapon)}${then}`;
}

function weaponText(weapon: Weapon): string {
  if (weapon.by === "call") return `instead of call ${weapon.nth} of ${weapon.calls}`;
  if (weapon.by === "time") return `after ${weapon.afterMs} ms`;
  const side = weapon.side === "request" ? "none has arrived" : "no answer is back";
  return `while ${weapon.nth} writes to a ${weapon.to} are on the way and ${side}`;
}

const below = (random: () => number, end: number): number => Math.floor(random() * end);

function pick<T>(random: () => number, from: readonly T[]): T {
  const found = from[below(random, from.length)];
  if (found === undefined) throw new Error("nothing to pick from");
  return found;
}
