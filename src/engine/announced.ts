import type { Clock } from "./clock.ts";

/** A delivery may be under way for so long, or have come in so long before the change was read. */
const TOLERANCE_MS = 10 * 60_000;

/**
 * Whether what moves at a forge is announced: says so when a change was found that no delivery had told of, until one
 * comes in. While nothing moves nobody has to tell us anything, however long that lasts.
 */
export class Announced {
  readonly #clock: Clock;
  #toldMs = Number.NEGATIVE_INFINITY;
  /** The first change that nothing tells of; dated for people. */
  #moved: { readonly elapsedMs: number; readonly atMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A delivery told of a change. */
  told(): void {
    this.#toldMs = this.#clock.elapsed();
    this.#moved = undefined;
  }

  /** A change was found by looking. */
  moved(): void {
    const elapsedMs = this.#clock.elapsed();
    if (elapsedMs - this.#toldMs <= TOLERANCE_MS) return;
    this.#moved ??= { elapsedMs, atMs: this.#clock.now() };
  }

  /** When the first of the changes was found that nothing has told of; undefined when there is none. */
  get missedMs(): number | undefined {
    if (this.#moved === undefined || this.#clock.elapsed() - this.#moved.elapsedMs <= TOLERANCE_MS) return undefined;
    return this.#moved.atMs;
  }
}
