import type { Engine } from "../engine.ts";

/** How long what nobody wants any more is remembered, or tried when it is refused. */
export const KEPT_MS = 30 * 24 * 60 * 60_000;

/** What an item needs of the outbox. */
export interface Keeper {
  readonly engine: Engine;
  /** Aborted when the outbox is stopped. */
  readonly signal: AbortSignal;
  /** Whether the confirm threshold holds everything back. */
  readonly held: boolean;
  /** Waits for the confirm threshold and for a place among the senders; undefined when the outbox was stopped. */
  place(kind: string): Promise<(() => void) | undefined>;
  /** Nothing is left to do for this key. */
  rests(key: string): void;
}
