import type { Unsent } from "./effects/outbox.ts";
import type { DoorCount } from "./inbound.ts";
import type { Banner } from "./view.ts";

/** How the forge and we get on: plain data for pages and metrics. */
export interface ForgeView {
  /** What it is called; undefined: there is none, and only chats are told anything. */
  readonly name?: string;
  /** What is left of an hour's requests, a line an account. */
  readonly rates: readonly ForgeRate[];
  /** Undefined: nobody listens for deliveries. */
  readonly deliveries?: DeliveriesView;
  /** What others have not been told yet, chats included; undefined when there is nothing. */
  readonly unsent?: UnsentView;
}

export interface UnsentView {
  readonly count: number;
  /** For how long the oldest has waited. */
  readonly waitsMs: number;
  /** What is in the way of the oldest that anything is in the way of; undefined: nothing, it is about to be sent. */
  readonly why?: string;
}

export interface ForgeRate {
  readonly account: string;
  readonly remaining: number;
  readonly limit: number;
  /** When all of them may be used again, milliseconds since 1970. */
  readonly resetMs: number;
}

export interface DeliveriesView {
  /** When the newest came in, also before the start; undefined when there never was one. */
  readonly lastMs?: number;
  /** When something had moved that no delivery has told of; undefined while they come as they should. */
  readonly missedMs?: number;
  /** How many are not acted on yet. */
  readonly open: number;
  readonly counts: readonly DoorCount[];
}

const SHORT = 0.1;

/** @param held Whether the confirm threshold holds everything back. */
export function unsentView(unsent: readonly Unsent[], held: boolean): UnsentView | undefined {
  if (unsent.length === 0) return undefined;
  let waitsMs = 0;
  let troubled: Unsent | undefined;
  for (const one of unsent) {
    waitsMs = Math.max(waitsMs, one.waitsMs);
    if (one.trouble !== undefined && one.waitsMs > (troubled?.waitsMs ?? -1)) troubled = one;
  }
  const why = held ? "the confirm threshold holds them back" : troubled?.trouble?.message;
  return { count: unsent.length, waitsMs, ...(why === undefined ? {} : { why }) };
}

/** What somebody has to know about the forge. */
export function forgeBanners({ rates, deliveries }: ForgeView, nowMs: number): readonly Banner[] {
  const short = rates.filter(({ remaining, limit, resetMs }) => remaining < limit * SHORT && resetMs > nowMs);
  return [
    ...short.map(({ account, resetMs }): Banner => {
      const until = new Date(resetMs).toISOString().slice(11, 16);
      const text = `Less than a tenth of the requests for ${account} is left until ${until} UTC: what is shown may lag.`;
      return { code: "FORGE_RATE_LIMITED", level: "warning", text };
    }),
    ...(deliveries?.missedMs === undefined ? [] : [silence(deliveries.missedMs, deliveries.lastMs)]),
  ];
}

function silence(missedMs: number, lastMs: number | undefined): Banner {
  const last = lastMs === undefined ? "None has come in yet." : `The last one of any kind came in ${dated(lastMs)}.`;
  const text =
    `No webhook told of what had moved by ${dated(missedMs)}. ${last} Nothing is lost: all is asked for every minute. ` +
    "Look at Recent deliveries of the app.";
  return { code: "NO_DELIVERIES", level: "warning", text };
}

const dated = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
