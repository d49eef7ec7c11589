import { Outbox } from "../engine/effects/outbox.ts";
import type { Sender } from "../engine/effects/sender.ts";
import type { Engine } from "../engine/engine.ts";
import type { Ports } from "../pipeline/ports.ts";
import { CheckReports } from "../pipeline/report-checks.ts";
import type { DeployTellers } from "../pipeline/tell-deploys.ts";
import { checkSender, deploymentSender, type GitHub } from "../plugins/github/index.ts";
import { type Ending, mailSender, slackSender, webhookSender } from "../plugins/messages/index.ts";
import type { MessageAccess } from "./options.ts";

export interface TellersOptions {
  /** The flavour. */
  readonly owner: string;
  /** GitHub as the app sees it; without one GitHub is told nothing. */
  readonly github?: GitHub;
  readonly appId?: number;
  /** Where the pages are. */
  readonly site: string;
  readonly messages: MessageAccess;
}

/** Everybody who is told how things go, and what is yet to be told them. */
export interface Tellers {
  readonly outbox: Outbox;
  readonly deploys: DeployTellers;
  readonly checks?: CheckReports;
}

/** Makes the outbox, and takes up what an earlier process left in it. Call before the pipeline is lowered. */
export function tellersOf(engine: Engine, { owner, github, appId, site, messages }: TellersOptions): Tellers {
  const outbox = new Outbox(engine);
  const base = site.replace(/\/+$/, "");
  const senders = messageSenders(engine, messages, base);
  for (const sender of senders) outbox.register(sender);
  const common = { outbox, site: base, messages: senders };
  if (github === undefined) return { outbox, deploys: common };
  const deployments = deploymentSender(github, owner);
  outbox.register(deployments);
  const { jobs, store } = engine;
  const headlineOf = (job: string): string | undefined =>
    (jobs.newest(job) ?? store.queries.job(job))?.headline ?? undefined;
  const checks = new CheckReports(engine, { outbox, sender: checkSender(github, appId), site: base, headlineOf });
  return { outbox, deploys: { ...common, github: deployments }, checks };
}

/** The ways to the outside, with the tellers among them. */
export function telling(ports: Ports, { deploys, checks }: Tellers): Ports {
  if (ports.checks === undefined || checks === undefined) return { ...ports, tellers: deploys };
  const report: NonNullable<Ports["checks"]>["report"] = (box, of) => checks.term(box, of);
  return { ...ports, tellers: deploys, checks: { ...ports.checks, report } };
}

function messageSenders(
  { clock }: Engine,
  { slack, webhook, mail }: MessageAccess,
  site: string,
): readonly Sender<Ending>[] {
  return [
    ...(slack === undefined ? [] : [slackSender(slack, clock, site)]),
    ...(webhook === undefined ? [] : [webhookSender(webhook.url, webhook.secret, clock, site)]),
    ...(mail === undefined ? [] : [mailSender(mail, site)]),
  ];
}
