import type { DoorCount } from "./inbound.ts";
import type { Banner } from "./view.ts";

/** How the forge and we get on: plain data for pages and metrics. */
export interface ForgeView {
  /** What is left of an hour's requests, a line an account. */
  readonly rates: readonly ForgeRate[];
  /** Undefined: nobody listens for deliveries. */
  readonly deliveries?: DeliveriesView;
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
