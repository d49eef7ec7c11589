import { asyncScheduler, type SchedulerLike, Subscription } from "rxjs";

/** A plain timer fires at once when its delay does not fit in 31 bits, so longer ones are chained. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/**
 * The only source of time: wall clock and timers of one RxJS scheduler.
 *
 * The wall clock may be put forward or back while we run. So it dates things, and nothing that has to last so and so
 * long is measured by it: timers are not, and what counts for itself uses `elapsed`.
 *
 * Tests inject a virtual scheduler, so that weeks pass in milliseconds and twice the same way.
 */
export interface Clock {
  readonly scheduler: SchedulerLike;
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment, on a clock that nobody sets: only differences mean anything. */
  elapsed(): number;
  /** Calls `work` once after `delayMs` (any length, whole milliseconds); unsubscribe to call it off. */
  after(delayMs: number, work: () => void): Subscription;
  /** Resolves after `delayMs`, or at once when `signal` is aborted; never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export function createClock(scheduler: SchedulerLike = asyncScheduler): Clock {
  const elapsed = scheduler === asyncScheduler ? (): number => performance.now() : (): number => scheduler.now();
  const after = (delayMs: number, work: () => void): Subscription => {
    const dueMs = elapsed() + Math.max(0, Math.ceil(delayMs));
    const timer = new Subscription();
    const arm = (): void => {
      const leftMs = Math.ceil(dueMs - elapsed());
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
  return { scheduler, now: () => scheduler.now(), elapsed, after, sleep };
}
