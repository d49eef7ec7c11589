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
  /** Since when we listen. */
  readonly sinceMs: number;
  /** When the newest came in, also before the start; undefined when there never was one. */
  readonly lastMs?: number;
  /** How many are not acted on yet. */
  readonly open: number;
  readonly counts: readonly DoorCount[];
}

const SILENT_MS = 24 * 60 * 60 * 1000;
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
    ...(deliveries === undefined || !isSilent(deliveries, nowMs) ? [] : [silence(deliveries)]),
  ];
}

const isSilent = ({ sinceMs, lastMs }: DeliveriesView, nowMs: number): boolean =>
  nowMs - Math.max(sinceMs, lastMs ?? 0) > SILENT_MS;

function silence({ lastMs }: DeliveriesView): Banner {
  const since = lastMs === undefined ? "yet" : `since ${new Date(lastMs).toISOString().slice(0, 10)}`;
  const text =
    `No webhook has come in ${since}, though one is set up. Nothing is lost: all is asked for every minute. ` +
    "Look at Recent deliveries of the app.";
  return { code: "NO_DELIVERIES", level: "warning", text };
}
