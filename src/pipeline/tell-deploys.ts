import { type DeployAbout, type DeployReport, deployReport, picked } from "../engine/deploy-report.ts";
import type { Deployed } from "../engine/effects/lane-face.ts";
import type { Outbox } from "../engine/effects/outbox.ts";
import type { Sender } from "../engine/effects/sender.ts";
import { wanted } from "../engine/effects/wanted.ts";
import type { Engine } from "../engine/engine.ts";
import { scrub } from "../engine/secret.ts";
import { type DeploymentWant, deploymentKey, jobUrl, type RepoName, shortened } from "../plugins/github/index.ts";
import { type Ending, endingKey, endingOf } from "../plugins/messages/index.ts";
import type { Box, Term } from "../term/term.ts";

/** Who is told of deploys. */
export interface DeployTellers {
  readonly outbox: Outbox;
  /** Where the pages are, without a slash at the end. */
  readonly site: string;
  /** For repositories on GitHub. */
  readonly github?: Sender<DeploymentWant>;
  /** Chat, mail and the like, for all repositories. */
  readonly messages: readonly Sender<Ending>[];
}

/** A deploy that others are told of. */
export interface ToldDeploy {
  readonly about: DeployAbout & { readonly repo: RepoName };
  /** That the branch is at. */
  readonly commit: Term<string>;
  readonly deployed: Term<Deployed>;
  /** Keys of terms before it that belong to the deploy, such as the public tag's. */
  readonly before: readonly string[];
  /** Keys of the terms that make what is deployed: fetch, build and push. */
  readonly making: readonly string[];
  readonly rolledOut: (generation: number) => boolean;
  readonly onGitHub: boolean;
  /** The box of one way to tell. */
  readonly box: (verb: string, label: string) => Box;
}

/** Tells everybody how far a deploy is: the forge each state, people its ending. */
export function tellDeploy(engine: Engine, tellers: DeployTellers, told: ToldDeploy): void {
  const { outbox, site, github, messages } = tellers;
  const origins = { own: new Set([...told.before, told.about.term]), making: new Set(told.making) };
  const report = deployReport(told.about, told.commit, told.deployed, origins, told.rolledOut);
  if (github !== undefined && told.onGitHub) {
    const want = picked(report, (now) => deploymentOf(now, told.about.repo, site));
    wanted(engine, told.box("deployment", "GitHub"), outbox, github, deploymentKey, want);
  }
  const ending = picked(report, endingOf);
  for (const sender of messages)
    wanted(engine, told.box(sender.kind, sender.kind.replace("message-", "")), outbox, sender, endingKey, ending);
}

function deploymentOf(report: DeployReport, repo: RepoName, site: string): DeploymentWant {
  const { term, place, commit, state, job, url } = report;
  return {
    repo,
    term,
    environment: place,
    commit,
    state,
    description: shortened(descriptionOf(report)),
    ...(job === undefined ? {} : { logUrl: jobUrl(site, job) }),
    ...(url === undefined ? {} : { environmentUrl: url }),
  };
}

function descriptionOf({ state, failure, rolledOut }: DeployReport): string {
  if (failure !== undefined) return scrub(failure.message);
  if (state === "success") return rolledOut ? "It runs." : "It ran already: the content is the same.";
  return state === "in_progress" ? "It is being rolled out." : "It waits for its turn.";
}
