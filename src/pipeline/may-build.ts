import type { Approvals, Ask, Writes } from "../engine/approvals.ts";
import { askedWaitMs } from "../engine/asked-wait.ts";
import type { Changes } from "../engine/changes.ts";
import type { Clock } from "../engine/clock.ts";
import type { Person } from "../engine/refs.ts";
import type { Share } from "../engine/shares.ts";
import type { ApprovalRow } from "../engine/store/store.ts";
import { answered, primitive } from "../term/combinators.ts";
import { active, type Failure, failed, ok, type Result } from "../term/output.ts";
import type { Answer, Box, Term } from "../term/term.ts";
import type { CheckHead } from "./check-heads.ts";
import type { Propose } from "./proposals.ts";
import type { RepoName } from "./types.ts";

/**
 * Whose word a build of a commit stands on: somebody pushed it to the repository itself; its author may write there;
 * or a maintainer looked at a stranger's commit.
 */
export type Grounds = "own" | "writer" | "approved";

/** A commit that may be built. */
export interface Allowed {
  readonly head: CheckHead;
  readonly grounds: Grounds;
}

/** Asks the forge whether a person may write to a repository: by number, never by name. */
export interface Writers {
  mayWrite(repo: RepoName, user: number, signal: AbortSignal): Promise<Result<boolean>>;
  /** Where people look at the changes of a pull request up to a commit. */
  page?(repo: RepoName, pull: number, commit: string): string;
  /** What a commit changes, compared with another one. */
  changes?(repo: RepoName, base: string, commit: string, signal: AbortSignal): Promise<Result<Changes>>;
}

export interface MayBuild {
  readonly approvals: Approvals;
  readonly writers: Writers;
  /** Looks up what a commit changes. */
  readonly propose: Propose;
  readonly clock: Clock;
  /** Runs what nobody waits for. */
  readonly background: (work: () => Promise<void>) => void;
}

/**
 * Lets a commit pass that may be built. What somebody pushed to the repository itself passes at once. The commit of a
 * fork passes when its author may write to the repository and the fork is their own; else it waits until a maintainer
 * approves this very commit, and the next one waits again. Until it is known whether the author may write it does not
 * wait for anybody: a forge may count what waits as passed.
 */
export function mayBuild(ports: MayBuild, repo: RepoName, box: Box, head: Term<CheckHead>): Term<Allowed> {
  return primitive(box, head, (found) => answerFor(ports, repo, box.key, found));
}

function answerFor(ports: MayBuild, repo: RepoName, term: string, head: CheckHead) {
  const { from } = head;
  const detail = `${head.label} at ${head.commit.slice(0, 8)}`;
  if (from === undefined)
    return answered<Allowed>(ports.approvals.world, { output: ok({ head, grounds: "own" }), metadata: { detail } });
  const { pull, author } = from;
  const fork = forkName(head);
  const url = ports.writers.page?.(repo, pull, head.commit);
  const what = { repository: head.repository, name: repo, pull, commit: head.commit };
  const ask: Ask = { ...what, author, fork, term, ...(url === undefined ? {} : { url }) };
  const waits = `waits for a maintainer's approval: ${author.login} (${fork}) may not write to ${repo}`;
  const asks = `${detail}: asking whether ${author.login} may write to ${repo}`;
  const answer = (approval: ApprovalRow | undefined, writes: Writes): Answer<Allowed> => {
    if (approval !== undefined) {
      const by = approval.via === "permission" ? `${author.login} may write to ${repo}` : `approved by ${approval.who}`;
      return { output: ok({ head, grounds: groundsOf(approval) }), metadata: { detail: `${detail}: ${by}` } };
    }
    if (writes === "no") return { output: active("waiting", term), metadata: { detail: `${detail} ${waits}` } };
    if (writes === "asking") return { output: active("running", term), metadata: { detail: asks } };
    return { output: failed(writes, term), metadata: { detail: `${asks}: ${writes.message}` } };
  };
  const look = (signal: AbortSignal): ReturnType<Propose> => ports.propose(head, signal);
  const isAsked = ports.approvals.known(ask) === undefined && isOwnFork(author, from.fork);
  const asked = ports.approvals.ask(ask, answer, look, isAsked ? "asking" : "no");
  if (isAsked) lookUp(ports, repo, ask);
  return asked;
}

const groundsOf = ({ via }: ApprovalRow): Grounds => (via === "permission" ? "writer" : "approved");

const forkName = ({ from }: CheckHead): string =>
  typeof from?.fork === "object" ? from.fork.name : "a fork that is gone";

/** Whoever opens a pull request from somebody else's fork cannot answer for what is pushed there later. */
const isOwnFork = (author: Person, fork: NonNullable<CheckHead["from"]>["fork"]): boolean =>
  typeof fork === "object" && fork.name.split("/")[0]?.toLowerCase() === author.login.toLowerCase();

const RETRY_MS = 60_000;
/** What is refused heals only when somebody does something. */
const REFUSED_RETRY_MS = 10 * 60_000;

/** Asks until there is an answer, or the commit is no longer the newest of its pull request. */
function lookUp({ approvals, writers, clock, background }: MayBuild, repo: RepoName, ask: Ask): void {
  const left = new AbortController();
  approvals.world.graph.scope.onRelease(() => left.abort());
  background(async () => {
    while (!left.signal.aborted) {
      const may = await writers.mayWrite(repo, ask.author.id, left.signal);
      if (left.signal.aborted) return;
      if (may.ok && may.value) return void (await approvals.approve(ask, ask.author.login, "permission"));
      if (may.ok) return approvals.writes(ask, "no");
      const waitMs = waitOf(may.error, clock.now());
      approvals.writes(ask, { ...may.error, retryAtMs: clock.now() + waitMs });
      await clock.sleep(waitMs, left.signal);
    }
  });
}

function waitOf({ class: kind, retryAtMs }: Failure, nowMs: number): number {
  const usualMs = kind === "transient" ? RETRY_MS : REFUSED_RETRY_MS;
  return Math.max(usualMs, askedWaitMs(retryAtMs, nowMs));
}

/** How a build is kept apart from others, and whose share it takes. */
export interface Confinement {
  readonly scope: string;
  readonly network: "default" | "none";
  /** Nobody who may write to the repository wrote it. */
  readonly stranger: boolean;
  readonly shares: readonly Share[];
}

const PER_AUTHOR = 2;
const PER_FORK = 2;
const PER_REPOSITORY = 5;

/**
 * The rules, a line each.
 *
 * | grounds | caches shared with | network | images that are only on the engine |
 * |---|---|---|---|
 * | own | other branches of the repository that are not deployed | as usual | as usual |
 * | writer | the same fork's | as usual | as usual |
 * | approved | nobody's | none | none |
 */
export function confinementOf({ head, grounds }: Allowed, unsafeNetwork: boolean): Confinement {
  const { repository, from, commit } = head;
  if (from === undefined || grounds === "own")
    return {
      scope: `own ${repository}`,
      network: "default",
      stranger: false,
      shares: [share(`branches of ${repository}`, PER_REPOSITORY)],
    };
  const fork = typeof from.fork === "object" ? from.fork.id : "gone";
  const shares = [
    share(`author ${from.author.id}`, PER_AUTHOR),
    share(`fork ${fork} of ${repository}`, PER_FORK),
    share(`pull requests of ${repository}`, PER_REPOSITORY),
  ];
  if (grounds === "writer")
    return { scope: `fork ${fork} of ${repository} by ${from.author.id}`, network: "default", stranger: false, shares };
  const network = unsafeNetwork ? "default" : "none";
  return { scope: `${commit} of #${from.pull} of ${repository}`, network, stranger: true, shares };
}

const share = (name: string, max: number): Share => ({ name, max });
