import { asyncScheduler, type SchedulerLike, Subscription } from "rxjs";

/** A plain timer fires at once when its delay does not fit in 31 bits, so longer ones are chained. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/**
 * The only source of time: wall clock and timers of one RxJS scheduler.
 *
 * Tests inject a virtual scheduler, so that weeks pass in milliseconds and twice the same way.
 */
export interface Clock {
  readonly scheduler: SchedulerLike;
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `work` once after `delayMs` (any length, whole milliseconds); unsubscribe to call it off. */
  after(delayMs: number, work: () => void): Subscription;
  /** Resolves after `delayMs`, or at once when `signal` is aborted; never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export function createClock(scheduler: SchedulerLike = asyncScheduler): Clock {
  const after = (delayMs: number, work: () => void): Subscription => {
    const dueMs = scheduler.now() + Math.max(0, Math.ceil(delayMs));
    const timer = new Subscription();
    const arm = (): void => {
      const leftMs = dueMs - scheduler.now();
      const next = Math.min(Math.max(0, leftMs), DELAY_MAX_MS);
      timer.add(scheduler.schedule(() => (next < leftMs ? arm() : work()), next));
    };
    arm();
    return timer;
  };
  const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        timer.unsubscribe();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = after(delayMs, done);
      signal?.addEventListener("abort", done);
    });
  return { scheduler, now: () => scheduler.now(), after, sleep };
}
