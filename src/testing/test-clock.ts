import { Subscription, VirtualAction, VirtualTimeScheduler } from "rxjs";
import { type Clock, createClock } from "../engine/clock.ts";

/** 2026-01-01 00:00 UTC. */
export const START_MS = Date.UTC(2026, 0, 1);

/**
 * A clock that stands still until it is told to go on.
 *
 * `advance` does what is due in the order of time, and lets everything that follows from it come to rest before the
 * next: so weeks pass in milliseconds, and twice the same way.
 */
export class TestClock implements Clock {
  readonly scheduler = new VirtualTimeScheduler(Ordered);
  readonly #clock: Clock;
  #wrongMs = 0;

  /** @param startMs  Milliseconds since 1970. */
  constructor(startMs: number = START_MS) {
    this.scheduler.frame = startMs;
    this.#clock = createClock(this.scheduler);
  }

  now(): number {
    return this.#clock.now() + this.#wrongMs;
  }
  elapsed(): number {
    return this.#clock.elapsed();
  }
  after(delayMs: number, work: () => void): Subscription {
    return this.#clock.after(delayMs, work);
  }
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(delayMs, signal);
  }

  /** Somebody puts the wall clock forward, or back: what is dated is wrong from now on, and no time has passed. */
  jump(byMs: number): void {
    this.#wrongMs += byMs;
  }

  /** Lets promises come to rest without time going on. */
  async settle(): Promise<void> {
    await turn();
  }

  /** Goes on by so many milliseconds. */
  async advance(byMs: number): Promise<void> {
    const { scheduler } = this;
    const untilMs = scheduler.frame + byMs;
    await turn();
    for (let next = scheduler.actions[0]; next !== undefined && next.delay <= untilMs; next = scheduler.actions[0]) {
      scheduler.actions.shift();
      scheduler.frame = next.delay;
      const error: unknown = next.execute(next.state, next.delay);
      if (error !== undefined) throw error;
      await turn();
    }
    scheduler.frame = untilMs;
  }

  /** Goes on until `found` gives something; fails when it still gives nothing after `atMostMs` (default: an hour). */
  async until<T>(found: () => T | undefined | false, atMostMs = 3_600_000): Promise<T> {
    const endMs = this.elapsed() + atMostMs;
    for (;;) {
      await turn();
      const value = found();
      if (value !== undefined && value !== false) return value;
      const next = this.scheduler.actions[0];
      if (next === undefined || next.delay > endMs)
        throw new Error(`it did not come about within ${atMostMs} ms: ${found.toString()}`);
      await this.advance(next.delay - this.elapsed());
    }
  }
}

/** As it is in RxJS, but one more timer does not sort all others anew: thousands would take minutes. */
class Ordered<T> extends VirtualAction<T> {
  protected override requestAsyncId(scheduler: VirtualTimeScheduler, _id?: unknown, delayMs = 0): number {
    const { actions } = scheduler;
    this.delay = scheduler.frame + delayMs;
    // The newest of those that are due at the same moment comes last.
    let [low, high] = [0, actions.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((actions[middle]?.delay ?? 0) <= this.delay) low = middle + 1;
      else high = middle;
    }
    actions.splice(low, 0, this);
    return 1;
  }
}

/** All promises that can be kept are kept before the event loop turns. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A clock that stops for good when its process dies, over one that goes on. */
export function mortalClock(clock: Clock, alive: () => boolean): Clock {
  const after = (delayMs: number, work: () => void): Subscription =>
    alive() ? clock.after(delayMs, () => void (alive() && work())) : new Subscription();
  const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
    clock.sleep(delayMs, signal).then(() => (alive() ? undefined : new Promise<never>(() => {})));
  return { scheduler: clock.scheduler, now: () => clock.now(), elapsed: () => clock.elapsed(), after, sleep };
}
