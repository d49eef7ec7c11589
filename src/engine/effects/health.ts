import type { Clock } from "../clock.ts";
import type { Ending } from "./machine.ts";
import type { Observed } from "./target.ts";

/** How long a target may be without running until it is called down, in milliseconds: it may be starting. */
const START_MS = 60_000;
/** How long it has to be seen running after that until it is believed. */
const LASTS_MS = 10_000;

/**
 * Whether a target at rest runs, from one look to the next: what falls and gets up again and again is down, though there
 * are looks that find it up.
 */
export class Health {
  readonly #clock: Clock;
  /** It was seen not to run, or its last change failed: that it runs has to last. */
  #doubted: boolean;
  #downSinceMs: number | undefined;
  #upSinceMs: number | undefined;

  /** @param last How the last change of the target ended, in an earlier process. */
  constructor(clock: Clock, last: Ending["state"] | undefined) {
    this.#clock = clock;
    this.#doubted = last === "failed";
  }

  /** Whether it does not run for longer than a start takes. */
  get isDown(): boolean {
    return this.#downSinceMs !== undefined && this.#clock.elapsed() - this.#downSinceMs >= START_MS;
  }

  /** Whether it can be believed to run. */
  get runs(): boolean {
    return !this.#doubted;
  }

  /** What a look found; undefined when nothing answered. */
  look(seen: Pick<Observed, "down" | "motion"> | undefined): void {
    const nowMs = this.#clock.elapsed();
    if (seen === undefined) this.#upSinceMs = undefined;
    else if (seen.down !== undefined) this.#fell(nowMs);
    else if (seen.motion === "moving" || seen.motion === "failed") this.#reset(this.#doubted);
    else if (nowMs - (this.#upSinceMs ??= nowMs) >= LASTS_MS) this.#reset(false);
  }

  /** A change was followed to its end. */
  ended(state: Ending["state"]): void {
    this.#reset(state === "failed" || (state === "superseded" && this.#doubted));
  }

  #fell(nowMs: number): void {
    this.#doubted = true;
    this.#upSinceMs = undefined;
    this.#downSinceMs ??= nowMs;
  }

  #reset(doubted: boolean): void {
    this.#doubted = doubted;
    this.#downSinceMs = undefined;
    this.#upSinceMs = undefined;
  }
}
