import type { Clock } from "../engine/clock.ts";

const FAILURES_MAX = 10;
const WINDOW_MS = 60_000;
const ADDRESSES_MAX = 10_000;

/** Counts failed log-ins: ten a minute from one address, then nothing from it until the minute is over. */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { count: number; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the address may try again; 0 when it may now. */
  waitMs(address: string): number {
    const entry = this.#seen.get(address);
    if (entry === undefined || entry.count < FAILURES_MAX) return 0;
    return Math.max(0, entry.untilMs - this.#clock.elapsed());
  }

  failed(address: string): void {
    const now = this.#clock.elapsed();
    const entry = this.#seen.get(address);
    if (entry !== undefined && entry.untilMs > now) {
      entry.count += 1;
      return;
    }
    if (this.#seen.size >= ADDRESSES_MAX) this.#seen.clear();
    this.#seen.set(address, { count: 1, untilMs: now + WINDOW_MS });
  }
}
