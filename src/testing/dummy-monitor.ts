import { canonical } from "../engine/cache/digest.ts";
import { problem } from "../engine/errors.ts";
import type { Codec } from "../engine/json.ts";
import type { MonitorSpec } from "../engine/monitor.ts";
import { type Failure, failure, type Result, success } from "../term/output.ts";

/** Something outside that a monitor watches: the test says what a read finds. */
export interface DummyMonitor<T> {
  readonly spec: MonitorSpec<T>;
  /** What reads find from now on. */
  set(value: T): void;
  /** How reads fail from now on; default: the outside does not answer. */
  fail(error?: Failure): void;
  /** Tells the monitor that something changed. */
  stale(detail?: string): void;
  /** Keeps reads waiting until the function that it returns is called. */
  hold(): () => void;
  readonly reads: number;
  /** Most reads that were under way at a time. */
  readonly readsAtOnce: number;
  readonly watched: boolean;
}

/** @param value  How the value is stored: `textCodec` for a text. */
export function dummyMonitor<T>(key: string, value: Codec<T>, everyMs = 60_000): DummyMonitor<T> {
  let next: Result<T> = unreachable(key);
  let [reads, reading, readsAtOnce] = [0, 0, 0];
  let held: Promise<void> = Promise.resolve();
  let tell: ((detail: string) => void) | undefined;
  const read = async (): Promise<Result<T>> => {
    reads += 1;
    reading += 1;
    readsAtOnce = Math.max(readsAtOnce, reading);
    await held;
    reading -= 1;
    return next;
  };
  const watch = (stale: (detail: string) => void): (() => void) => {
    tell = stale;
    return () => (tell = undefined);
  };
  const equal = (before: T, after: T): boolean => canonical(value.encode(before)) === canonical(value.encode(after));
  const describe = (before: T | undefined, after: T): string =>
    `${key}: ${before === undefined ? "first" : canonical(value.encode(before))} → ${canonical(value.encode(after))}`;
  return {
    spec: { key, read, watch, everyMs, value, equal, describe },
    set: (found) => (next = success(found)),
    fail: (error) => (next = error === undefined ? unreachable(key) : failure(error)),
    stale: (detail = "told by the test") => tell?.(detail),
    hold: () => {
      let release = (): void => {};
      held = new Promise((resolve) => (release = resolve));
      return () => release();
    },
    get reads() {
      return reads;
    },
    get readsAtOnce() {
      return readsAtOnce;
    },
    get watched() {
      return tell !== undefined;
    },
  };
}

const unreachable = (key: string): Result<never> => failure(problem("REPO_UNREACHABLE", `${key} does not answer`));
