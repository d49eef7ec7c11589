import { Subject, type Subscription } from "rxjs";
import type { Clock } from "./clock.ts";
import { heldBy, type Level, type Threshold } from "./level.ts";

/** The confirm threshold: jobs at this level and above wait until a person lowers it or starts them. */
export class Confirm {
  #threshold: Threshold = "none";
  #setBy = "default";
  #release: { readonly timer: Subscription; readonly atMs: number } | undefined;
  readonly #clock: Clock;
  /** Emits after each change. */
  readonly changes = new Subject<Threshold>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get threshold(): Threshold {
    return this.#threshold;
  }
  get setBy(): string {
    return this.#setBy;
  }
  get autoReleaseAtMs(): number | undefined {
    return this.#release?.atMs;
  }

  set(threshold: Threshold, who: string): void {
    this.#release?.timer.unsubscribe();
    this.#release = undefined;
    this.#threshold = threshold;
    this.#setBy = who;
    this.changes.next(threshold);
  }

  /** Drops the threshold after a while, unless somebody changes it before. */
  autoRelease(afterMs: number): void {
    const timer = this.#clock.after(afterMs, () => this.set("none", "--confirm-auto-release"));
    this.#release = { timer, atMs: this.#clock.now() + afterMs };
  }

  holds(level: Level): boolean {
    return heldBy(this.#threshold, level);
  }
}
