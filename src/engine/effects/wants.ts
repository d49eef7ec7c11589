import { digestOf } from "../cache/digest.ts";
import type { EventRow } from "../store/store.ts";
import type { Want } from "./machine.ts";
import type { Observed, TargetKind } from "./target.ts";

type Kind<W> = Pick<TargetKind<unknown, W, Observed, unknown>, "wanted" | "running">;

export interface Wanted<W> extends Want {
  readonly value: W;
  /** Events that led to it. */
  readonly events: readonly EventRow[];
  /** How often it was wanted anew with equal content: pushes that changed nothing in the image. */
  readonly again?: number;
  /** Wanted again since somebody changed the target by hand. */
  readonly repair?: boolean;
}

/** The newest number of a lane, and the value that had it. */
export interface Known {
  readonly generation: number;
  readonly digest: string;
}

/** The newest number that an earlier process left, and whether a person asked for its value and no intent was begun. */
export interface Stored extends Known {
  readonly forced?: boolean;
}

/** What is wanted of a lane now, and the newest that was since the process began. Never changed, only replaced. */
export interface Wishes<W> {
  readonly current: Wanted<W> | undefined;
  readonly latest: Wanted<W> | undefined;
}

/** A process that has just begun wants nothing yet. */
export const NO_WISHES: Wishes<never> = { current: undefined, latest: undefined };

/**
 * Another value is wanted, with the next generation; undefined while it is not known.
 *
 * @param stored The newest number of the lane that is recorded. A value that was wanted before the restart keeps its
 * number, and a Rebuild of it that nobody had begun with.
 */
export function wish<W>(
  { latest }: Wishes<W>,
  kind: Kind<W>,
  value: W | undefined,
  events: readonly EventRow[],
  stored: Stored | undefined,
): Wishes<W> {
  if (value === undefined) return { current: undefined, latest };
  const digest = digestOf(kind.wanted.encode(value));
  if (latest?.digest === digest) return both(value === latest.value ? latest : sameAgain(latest, value));
  const kept = latest === undefined && stored?.digest === digest ? stored : undefined;
  const { generation, forced = false } = kept ?? { generation: above(latest, stored) };
  return both({ value, digest, generation, running: kind.running(value), forced, events });
}

/** The same value is wanted again, as a new generation: asked for by a person, or since the target was changed by hand. */
export const wishAnew = <W>(
  { latest }: Wishes<W>,
  want: Wanted<W>,
  events: readonly EventRow[],
  stored: Known | undefined,
  why: "forced" | "repair" = "forced",
): Wishes<W> =>
  both({ ...want, forced: why === "forced", repair: why === "repair", generation: above(latest, stored), events });

/** The wish of `generation` was tried: it is not forced any more. */
export function wishTried<W>({ current, latest }: Wishes<W>, generation: number): Wishes<W> {
  const calm = (want: Wanted<W> | undefined): Wanted<W> | undefined =>
    want?.generation === generation ? { ...want, forced: false } : want;
  return { current: calm(current), latest: calm(latest) };
}

/** With our numbers above those that were found on a target and accepted. */
export function wishAbove<W>(wishes: Wishes<W>, generation: number): Wishes<W> {
  const { current, latest } = wishes;
  if (latest === undefined || latest.generation > generation) return wishes;
  const raised = { ...latest, generation: generation + 1 };
  return { current: current === undefined ? undefined : raised, latest: raised };
}

const both = <W>(want: Wanted<W>): Wishes<W> => ({ current: want, latest: want });
const sameAgain = <W>(want: Wanted<W>, value: W): Wanted<W> => ({ ...want, value, again: (want.again ?? 0) + 1 });
const above = (latest: Known | undefined, stored: Known | undefined): number =>
  Math.max(latest?.generation ?? 0, stored?.generation ?? 0) + 1;

/** The wishes of one lane, numbered: each newly wanted value gets the next generation. */
export class Wants<W> {
  #wishes: Wishes<W> = NO_WISHES;
  readonly #kind: Kind<W>;

  constructor(kind: Kind<W>) {
    this.#kind = kind;
  }

  get current(): Wanted<W> | undefined {
    return this.#wishes.current;
  }

  set(value: W | undefined, events: readonly EventRow[], stored: Stored | undefined): void {
    this.#wishes = wish(this.#wishes, this.#kind, value, events, stored);
  }
  force(want: Wanted<W>, events: readonly EventRow[], stored: Known | undefined): Wanted<W> {
    this.#wishes = wishAnew(this.#wishes, want, events, stored);
    return this.#wishes.current ?? want;
  }
  repair(want: Wanted<W>, events: readonly EventRow[], stored: Known | undefined): void {
    this.#wishes = wishAnew(this.#wishes, want, events, stored, "repair");
  }
  tried(generation: number): void {
    this.#wishes = wishTried(this.#wishes, generation);
  }
  raiseAbove(generation: number): void {
    this.#wishes = wishAbove(this.#wishes, generation);
  }
}
