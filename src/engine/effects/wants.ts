import { digestOf } from "../cache/digest.ts";
import type { Want } from "./machine.ts";
import type { Observed, TargetKind } from "./target.ts";

type Kind<W> = Pick<TargetKind<unknown, W, Observed, unknown>, "wanted" | "running">;

export interface Wanted<W> extends Want {
  readonly value: W;
  /** Events that led to it. */
  readonly events: readonly number[];
  /** How often it was wanted anew with equal content: pushes that changed nothing in the image. */
  readonly again?: number;
}

/** The newest number of a lane, and the value that had it. */
interface Known {
  readonly generation: number;
  readonly digest: string;
}

/** Numbers the wanted values of a lane: each newly wanted one gets the next generation. */
export class Wants<W> {
  current: Wanted<W> | undefined;
  #latest: Wanted<W> | undefined;
  readonly #kind: Kind<W>;

  constructor(kind: Kind<W>) {
    this.#kind = kind;
  }

  /** The newest generation of this process, 0 for none. */
  get newest(): number {
    return this.#latest?.generation ?? 0;
  }

  /**
   * Sets the wanted value; undefined while it is not known.
   *
   * @param stored The last intent of the lane. A value that was wanted before the restart keeps its number.
   */
  set(value: W | undefined, events: readonly number[], stored: Known | undefined): void {
    this.current = value === undefined ? undefined : this.#numbered(value, events, stored);
  }

  #numbered(value: W, events: readonly number[], stored: Known | undefined): Wanted<W> {
    const digest = digestOf(this.#kind.wanted.encode(value));
    if (this.#latest?.digest === digest) return this.#sameAgain(this.#latest, value);
    const kept = this.#latest === undefined && stored?.digest === digest ? stored.generation : undefined;
    const generation = kept ?? Math.max(this.newest, stored?.generation ?? 0) + 1;
    this.#latest = { value, digest, generation, running: this.#kind.running(value), forced: false, events };
    return this.#latest;
  }

  #sameAgain(latest: Wanted<W>, value: W): Wanted<W> {
    if (value !== latest.value) this.#latest = { ...latest, value, again: (latest.again ?? 0) + 1 };
    return this.#latest ?? latest;
  }

  /** Wants the same value again, as a new generation. */
  force(want: Wanted<W>, events: readonly number[], stored: Known | undefined): Wanted<W> {
    const generation = Math.max(this.newest, stored?.generation ?? 0) + 1;
    this.#latest = { ...want, forced: true, generation, events };
    this.current = this.#latest;
    return this.#latest;
  }

  /** The wish of `generation` was tried: it is not forced any more. */
  tried(generation: number): void {
    if (this.#latest?.generation === generation) this.#latest = { ...this.#latest, forced: false };
    if (this.current?.generation === generation) this.current = { ...this.current, forced: false };
  }

  /** Puts our numbers above those that were found on a target and accepted. */
  raiseAbove(generation: number): void {
    if (this.#latest === undefined || this.#latest.generation > generation) return;
    const raised = { ...this.#latest, generation: generation + 1 };
    if (this.current !== undefined) this.current = raised;
    this.#latest = raised;
  }
}
