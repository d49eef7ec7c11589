const MAX_MS = 60 * 60_000;

/**
 * How long whoever did not answer wants to be left alone, in milliseconds: nobody is asked before the time that they
 * named. At most an hour, since a wrong date, theirs or ours, shall not keep us away for long.
 *
 * @param untilMs The time that was named; undefined: none was.
 * @param nowMs By the same clock.
 */
export function askedWaitMs(untilMs: number | undefined, nowMs: number): number {
  return untilMs === undefined ? 0 : Math.min(MAX_MS, Math.max(0, untilMs - nowMs));
}
