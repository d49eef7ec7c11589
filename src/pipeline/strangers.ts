import type { Clock } from "../engine/clock.ts";

const STRANGER_MS = 60 * 60_000;
const STRANGERS_MAX = 1_000;

/** Who was refused lately for what they may not do: anybody may ask, and once an hour it is written down of each. */
export class Strangers {
  readonly #clock: Clock;
  /** The one that was written down longest ago first. */
  readonly #untilMs = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the same was written down of them within the hour. */
  isKnown(user: number): boolean {
    const now = this.#clock.elapsed();
    if ((this.#untilMs.get(user) ?? 0) > now) return true;
    this.#untilMs.delete(user);
    this.#untilMs.set(user, now + STRANGER_MS);
    const [oldest] = this.#untilMs.keys();
    if (this.#untilMs.size > STRANGERS_MAX && oldest !== undefined) this.#untilMs.delete(oldest);
    return false;
  }
}
