import type { Subscription } from "rxjs";
import type { TestClock } from "../../src/testing/index.ts";
import { never } from "../../src/testing/mortal-store.ts";
import type { Dice } from "./dice.ts";
import type { History } from "./history.ts";

/** The process that asks: it hears nothing any more once it is dead, and may die of being asked. */
export interface Caller {
  readonly number: number;
  readonly alive: (point: string) => boolean;
}

/** What all fakes of a simulation share. */
export class Outside {
  readonly clock: TestClock;
  readonly dice: Dice;
  readonly history: History;
  readonly #outages = new Map<string, { readonly silent: boolean; readonly end: Subscription }>();

  #waiting: { readonly part: string; readonly resolve: () => void }[] = [];

  constructor(clock: TestClock, dice: Dice, history: History) {
    this.clock = clock;
    this.dice = dice;
    this.history = history;
  }

  /** `part` does not answer for a while: it refuses, or (silent) it takes what is sent and says nothing. */
  outage(part: string, forMs: number, silent: boolean): void {
    this.#outages.get(part)?.end.unsubscribe();
    this.history.note(`${part} is out${silent ? ", silently" : ""}`);
    this.#outages.set(part, { silent, end: this.clock.after(forMs, () => this.#back(part)) });
  }

  calm(): void {
    for (const [part, { end }] of this.#outages) {
      end.unsubscribe();
      this.#back(part);
    }
  }

  #back(part: string): void {
    this.#outages.delete(part);
    this.history.note(`${part} is back`);
    const told = this.#waiting.filter((one) => one.part === part);
    this.#waiting = this.#waiting.filter((one) => one.part !== part);
    for (const { resolve } of told) resolve();
  }

  isOut(part: string): boolean {
    return this.#outages.has(part);
  }

  /**
   * One question to `part`, which takes its time to get there. `refused` makes the answer of a part that is out; a silent
   * one says nothing until `signal` ends the wait, or it is back and does not know the question any more.
   */
  async ask<T>(
    caller: Caller,
    part: string,
    signal: AbortSignal,
    answer: { readonly of: () => T | Promise<T>; readonly refused: () => T; readonly cancelled: () => T },
    takesMs = this.dice.between(2, 40),
  ): Promise<T> {
    if (!caller.alive(`ask ${part}`)) return never();
    await this.clock.sleep(takesMs, signal);
    const silent = this.#outages.get(part)?.silent === true;
    if (silent) await this.#patience(part, signal);
    const refused = silent || this.isOut(part);
    const value = signal.aborted ? answer.cancelled() : refused ? answer.refused() : await answer.of();
    return caller.alive(`answer of ${part}`) ? value : never();
  }

  #patience(part: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
      else this.#waiting.push({ part, resolve });
    });
  }
}
