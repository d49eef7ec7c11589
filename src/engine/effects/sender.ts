import type { Result } from "../../term/output.ts";
import type { Codec, Json } from "../json.ts";

/** What became of a send: what is kept as confirmed, or why it failed and what is kept of the part that arrived. */
export type Told = Result<Json> & { readonly kept?: Json };

/** A way to tell somebody something: a status, a message. Made once a process; the outbox calls it. */
export interface Sender<Want> {
  /** Permanent: part of the keys in the store, such as `github-check`. */
  readonly kind: string;
  readonly want: Codec<Want>;
  /** How long the first of several quick changes waits for the others, in milliseconds. Default 0. */
  readonly coalesceMs?: number;
  /**
   * Whether what is sent takes the place of what was sent before, so that a send whose answer never came could still
   * land over a newer one: the newest is then sent once more, later. Not for messages, of which each one is seen.
   */
  readonly overwrites?: boolean;
  /**
   * Tells the other side. Must be idempotent as far as the other side lets it: the answer to an earlier send of the
   * same value may have been lost, also with the process that sent it.
   *
   * @param confirmed What the last successful send of this key left to be kept.
   * @param unsure An earlier send of this key may have arrived though nobody answered.
   * @returns What is kept as confirmed: an id, say. A transient failure is tried again for ever; not before its
   *   `retryAtMs` if it has one and that is within an hour (then it was answered, and is known not to have arrived). Any
   *   other is shown and tried again rarely: within the hour, then later and later, at most a day apart. A failure with
   *   `kept` was heard by some: that is given as `confirmed` from then on, and what was confirmed before holds no more.
   */
  send(want: Want, confirmed: Json | undefined, signal: AbortSignal, unsure: boolean): Promise<Told>;
  /**
   * What is to be said of a key that nothing keeps up any more, such as a check that is in progress for a commit that
   * was left; undefined when this value may stand for good.
   */
  abandoned?(want: Want): Want | undefined;
  /**
   * Whether there is no end to its keys, one a commit say: what was told of a key is forgotten a month after anybody
   * wanted it. Should it be wanted again, that is sent as if it were the first time: so not for messages, which would be
   * said twice. Default false.
   */
  readonly forgets?: boolean;
}
