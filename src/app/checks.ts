import type { Clock } from "../engine/clock.ts";
import type { Engine } from "../engine/engine.ts";
import { SharedPool } from "../engine/shares.ts";
import { approveByComment } from "../pipeline/approve-comments.ts";
import type { Writers } from "../pipeline/may-build.ts";
import type { Ports } from "../pipeline/ports.ts";
import { type Followed, rereading } from "../pipeline/reread.ts";
import { connectEngine, dockerCheck } from "../plugins/docker/index.ts";
import { checkout } from "../plugins/git/index.ts";
import { type GitHub, readChanges } from "../plugins/github/index.ts";
import { type Result, success } from "../term/output.ts";
import type { Inlet } from "./inlet.ts";
import type { Tellers } from "./tellers.ts";

/**
 * Places of their own: what is deployed never waits for what is only checked. Few, since both use the same machine; more
 * than one author may take.
 */
const CHECKS_AT_ONCE = 3;

/**
 * The ways to the outside, with what checks of branches and pull requests need: an engine and places of their own, and
 * who may write to a repository. Without an app there are no checks: nobody could be told of them.
 *
 * @param untrusted Another Docker engine for them, with nothing on it that is worth having. Default: the same one, where
 *   they are kept apart by their caches.
 */
export function withChecks(ports: Ports, untrusted: string | undefined): Result<Ports> {
  const { engine, git, forge, build } = ports;
  if (forge?.github === undefined) return success(ports);
  const docker = untrusted === undefined ? success(build.engine) : connectEngine(untrusted, engine.clock);
  if (!docker.ok) return docker;
  const ownHost: typeof build.checkout = (source, commit, { includeGit, submodules = true }, job) =>
    checkout({ ...git, behind: true }, source, commit, { includeGit, submodules: submodules && "own host" }, job);
  const pool = new SharedPool("docker-check", CHECKS_AT_ONCE);
  const checks: NonNullable<Ports["checks"]> = {
    writers: writersOf(forge.github, engine.clock),
    builder: dockerCheck,
    build: { engine: docker.value, checkout: ownHost, poolFor: (shares) => pool.for(shares) },
  };
  return success({ ...ports, checks, pools: [...ports.pools, pool] });
}

/** What is asked for at a forge, in the order in which it came in. Call before the inbox is started. */
export function listen(
  engine: Engine,
  { checks }: Ports,
  tellers: Tellers,
  { inbox }: Inlet,
  followed: readonly Followed[],
): void {
  const { checks: reports } = tellers;
  if (checks === undefined) return;
  const { writers } = checks;
  const reread = rereading(followed);
  if (reports !== undefined) inbox.handle((hint) => reports.handle(hint, writers, reread));
  inbox.handle(approveByComment(engine, writers, "github", reread));
}

/** Many commits of one person come at once, after a restart say: that is one question. */
const KNOWN_MS = 60_000;

/** Who may write to a repository, as GitHub says by the number of a person. */
export function writersOf(github: GitHub, clock: Clock): Writers {
  const known = new Map<string, { readonly atMs: number; readonly answer: ReturnType<Writers["mayWrite"]> }>();
  return {
    mayWrite: (repo, user) => {
      const name = `${repo} ${user}`;
      const before = known.get(name);
      if (before !== undefined && clock.elapsed() - before.atMs < KNOWN_MS) return before.answer;
      for (const [other, { atMs }] of known) if (clock.elapsed() - atMs >= KNOWN_MS) known.delete(other);
      const answer = ask(github, repo, user);
      known.set(name, { atMs: clock.elapsed(), answer });
      void answer.then(({ ok }) => {
        if (!ok) known.delete(name);
      });
      return answer;
    },
    changes: changesOf(github),
    page: (repo, pull, commit) => `${github.webUrl(repo)}/pull/${pull}/files/${commit}`,
  };
}

/** Between two commits nothing changes any more: what was asked for lately is not asked for again. */
const COMPARED_MAX = 20;

function changesOf(github: GitHub): NonNullable<Writers["changes"]> {
  const known = new Map<string, Awaited<ReturnType<NonNullable<Writers["changes"]>>>>();
  return async (repo, base, commit, signal) => {
    const name = `${repo} ${base} ${commit}`;
    const found = known.get(name) ?? (await readChanges(github, repo, base, commit, signal));
    known.delete(name);
    if (found.ok) known.set(name, found);
    for (const oldest of known.keys()) if (known.size > COMPARED_MAX) known.delete(oldest);
    return found;
  };
}

async function ask(github: GitHub, repo: `${string}/${string}`, user: number): Promise<Result<boolean>> {
  const found = await github.permission(repo, user, new AbortController().signal);
  return found.ok ? success(found.value === "admin" || found.value === "write") : found;
}
