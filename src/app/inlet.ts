import type { Outbox } from "../engine/effects/outbox.ts";
import type { Engine } from "../engine/engine.ts";
import { type ForgeView, unsentView } from "../engine/forge-view.ts";
import { Inbox } from "../engine/inbox.ts";
import type { GitHub, GitHubDoor } from "../plugins/github/index.ts";
import { githubDoor } from "../plugins/github/index.ts";
import type { GitHubAccess } from "./options.ts";

/** What comes in from forges: the door that the web opens, and the inbox behind it. */
export interface Inlet {
  readonly inbox: Inbox;
  readonly door: GitHubDoor;
}

/** Undefined without the webhook's secret: whoever cannot be known is not listened to. */
export function inletOf(engine: Engine, { app, webhookSecret: secret }: GitHubAccess): Inlet | undefined {
  if (secret === undefined) return undefined;
  const inbox = new Inbox(engine);
  const { clock } = engine;
  const door = githubDoor({ secret, inbox, clock, report, ...(app === undefined ? {} : { appId: app.id }) });
  return { inbox, door };
}

const report = (line: string): void => void process.stderr.write(`millrace: ${line}\n`);

/** How others and we get on, for the pages. */
export function forgeViewOf(
  github: GitHub | undefined,
  inlet: Inlet | undefined,
  outbox: Outbox | undefined,
): ForgeView {
  const waits = outbox && unsentView(outbox.unsent(), outbox.held);
  const named = github === undefined && inlet === undefined ? {} : { name: "GitHub" };
  const view = { ...named, rates: github?.rates() ?? [], ...(waits === undefined ? {} : { unsent: waits }) };
  if (inlet === undefined) return view;
  const { inbox, door } = inlet;
  const { lastMs, missedMs } = inbox;
  const when = { ...(lastMs === undefined ? {} : { lastMs }), ...(missedMs === undefined ? {} : { missedMs }) };
  return { ...view, deliveries: { open: inbox.open, counts: door.counts(), ...when } };
}
