import type { Clock } from "./clock.ts";

/** Calls `work` at the first call at once, then at most once every `quietMs`, and never not at all for the last. */
export function paced(work: () => void, quietMs: number, clock: Clock): { call(): void; stop(): void } {
  let pending = false;
  let quiet: { unsubscribe(): void } | undefined;
  const pause = (): void => {
    quiet = clock.after(quietMs, () => {
      quiet = undefined;
      if (!pending) return;
      pending = false;
      pause();
      work();
    });
  };
  return {
    call: () => {
      if (quiet !== undefined) {
        pending = true;
        return;
      }
      pause();
      work();
    },
    stop: () => quiet?.unsubscribe(),
  };
}
