import type { Clock } from "../engine/clock.ts";

const FAILURES_MAX = 10;
const WINDOW_MS = 60_000;
const CALLERS_MAX = 10_000;

/** Counts failures: ten a minute of one caller, say, then nothing from it until the minute is over. */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #seen = new Map<string, { count: number; readonly untilMs: number }>();

  constructor(clock: Clock, max = FAILURES_MAX) {
    this.#clock = clock;
    this.#max = max;
  }

  /** Milliseconds until the caller may try again; 0 when it may now. */
  waitMs(caller: string): number {
    const entry = this.#seen.get(caller);
    if (entry === undefined || entry.count < this.#max) return 0;
    return Math.max(0, entry.untilMs - this.#clock.elapsed());
  }

  failed(caller: string): void {
    const now = this.#clock.elapsed();
    const entry = this.#seen.get(caller);
    if (entry !== undefined && entry.untilMs > now) {
      entry.count += 1;
      return;
    }
    this.#seen.delete(caller); // so that the map stays in the order of time
    const [oldest] = this.#seen.size >= CALLERS_MAX ? this.#seen.keys() : [];
    if (oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.set(caller, { count: 1, untilMs: now + WINDOW_MS });
  }

  /** What was counted before it was known to be none. */
  forgive(caller: string): void {
    const entry = this.#seen.get(caller);
    if (entry !== undefined && entry.count > 0) entry.count -= 1;
  }
}
