import type { Subscription } from "rxjs";
import type { Clock } from "../clock.ts";

/** Sleep that a wake-up ends, also one that came before it began: since `attend` was called last. */
export class Waker {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;
  #woken = false;
  #timer: Subscription | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether somebody sleeps here now. */
  get asleep(): boolean {
    return this.#wake !== undefined;
  }

  /** What woke us until now is known: only what comes from here on is to end the next sleep. */
  attend(): void {
    this.#woken = false;
  }

  /** Until `wake`, at most `forMs`. */
  async sleep(forMs: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#timer = this.#clock.after(forMs, () => this.wake());
      });
    }
    this.#woken = false;
  }

  wake(): void {
    this.#woken = true;
    this.#timer?.unsubscribe();
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
