import type { Clock } from "./clock.ts";

/**
 * A signal that is aborted when the time is up, or with the given one, with its reason; `end` has to be called.
 *
 * Not by `AbortSignal.any`: a signal that lives for as long as a monitor keeps a trace of each that was made of it.
 */
export function limit(
  clock: Clock,
  limitMs: number,
  signal?: AbortSignal | null,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort);
  const timer = clock.after(limitMs, () => stop.abort("no answer in time"));
  const end = (): void => {
    timer.unsubscribe();
    signal?.removeEventListener("abort", onAbort);
  };
  return { signal: stop.signal, end };
}
