/**
 * Aborts `stop` when the given signal is aborted, with its reason; answers how to end that, which has to be called.
 *
 * Not by `AbortSignal.any`: a signal that lives for as long as a monitor keeps a trace of each that was made of it.
 */
export function abortWith(stop: AbortController, signal: AbortSignal | null | undefined): () => void {
  const onAbort = (): void => stop.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort);
  return () => signal?.removeEventListener("abort", onAbort);
}
