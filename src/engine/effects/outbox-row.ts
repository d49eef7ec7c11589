import type { Json } from "../json.ts";
import type { OutboxRow } from "../store/store.ts";

/** What the other side has said yes to. */
export interface Confirmed {
  readonly digest: string;
  /** What the sender wants to know next time: an id, say. */
  readonly kept: Json;
}

/** What a row says of the sends until now. */
export interface Sent {
  readonly confirmed: Confirmed | undefined;
  /** Digests of values whose answer never came: they may still land. */
  readonly doubts: readonly string[];
}

export const confirmedJson = ({ confirmed, doubts }: Sent): Json => ({
  ...(confirmed === undefined ? {} : { digest: confirmed.digest, kept: confirmed.kept }),
  ...(doubts.length === 0 ? {} : { doubts }),
});

/** A cell of an odd shape reads as "nothing is confirmed": then the value is sent once more. */
export function sentOf({ confirmed }: Pick<OutboxRow, "confirmed">): Sent {
  if (!isRecord(confirmed)) return { confirmed: undefined, doubts: [] };
  const { digest, kept, doubts } = confirmed;
  return {
    confirmed: typeof digest === "string" && kept !== undefined ? { digest, kept } : undefined,
    doubts: Array.isArray(doubts) ? doubts.filter((one): one is string => typeof one === "string") : [],
  };
}

const isRecord = (json: Json): json is { readonly [name: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);
