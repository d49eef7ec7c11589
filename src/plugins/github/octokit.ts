import { App } from "@octokit/app";
import { Octokit } from "@octokit/core";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import type { Clock } from "../../engine/clock.ts";
import type { Secret } from "../../engine/secret.ts";
import { type Fetch, guarded } from "./exchange.ts";
import { MISDIRECTED } from "./failures.ts";

export interface OctokitOptions {
  readonly clock: Clock;
  /** Base of the API: `https://api.github.com`. */
  readonly api: URL;
  readonly fetch: Fetch;
  /** False: no pauses, neither between writes nor before a read is repeated. GitHub itself asks for a second. */
  readonly polite: boolean;
}

/** What is never asked again: these answers stay what they are. 403 and 429 say when to come back. */
const LASTING = [400, 401, 403, 404, 409, 410, MISDIRECTED, 422, 429, 451];
const READ_RETRIES = 1;

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const Client = Octokit.plugin(throttling, retry);

function settings({ clock, api, fetch, polite }: OctokitOptions, lane: string, onAnswer: (headers: Headers) => void) {
  return {
    baseUrl: api.href.replace(/\/$/, ""),
    userAgent: "millrace",
    log: quiet, // what it would say goes to the terminal; failures are told where they belong
    request: { fetch: guarded(api, clock, fetch, onAnswer) },
    throttle: {
      enabled: polite,
      id: `${api.href} ${lane}`,
      // Whoever asked is told at once and comes back later, visibly; nothing waits here for an hour.
      onRateLimit: () => false,
      onSecondaryRateLimit: () => false,
    },
    retry: { doNotRetry: LASTING, retries: READ_RETRIES, retryAfterBaseValue: polite ? 1_000 : 1 },
  };
}

/** Sends requests with a token that each brings along. `lane`: what is throttled together, one an installation. */
export function installationClient(
  options: OctokitOptions,
  lane: string,
  onAnswer: (headers: Headers) => void,
): Octokit {
  const client = new Client(settings(options, lane, onAnswer));
  withoutBlindRetries(client);
  return client;
}

/** Signs with the app's own key: what lists installations and gives out their tokens. */
export function appClient(options: OctokitOptions, app: { readonly id: number; readonly key: Secret }): Octokit {
  const Signing = Client.defaults(settings(options, "app", () => {}));
  const made = new App({ appId: app.id, privateKey: app.key.reveal(), Octokit: Signing, log: quiet });
  withoutBlindRetries(made.octokit);
  return made.octokit;
}

/** A write whose answer was lost may have been done. Whoever wants it looks first; here it is never sent twice. */
function withoutBlindRetries(client: Octokit): void {
  client.hook.before("request", (options) => {
    if (options.method !== "GET") options.request["retries"] = 0;
  });
}
