import { access, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "../../engine/errors.ts";
import type { Job } from "../../engine/job.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { withAuth } from "./auth.ts";
import { type GitContext, git, isOfMachine } from "./command.ts";
import { readHeads } from "./heads.ts";
import { cacheName, type GitSource, isCommit, type Located, locate, masked } from "./source.ts";

/** Of one fetch, from its turn on: thousands may wait for theirs, each as long as it takes. */
const TIMEOUT_MS = 30 * 60_000;

/** What a fetch needs of a job. */
export type Journal = Pick<Job, "signal" | "log" | "write">;

/**
 * Where the commits of a repository are kept: a bare repository of ours. What was read with a token is kept apart:
 * whoever names the same address without one, as a submodule does, must not find it there.
 */
export const cacheDir = (context: GitContext, source: GitSource): string =>
  join(context.state, "git", cacheName(source.url) + (source.auth === undefined ? "" : "-private"));

/**
 * Makes sure that the cache has `commit` with all its history, fetching just that commit when it is missing.
 *
 * Returns the cache's directory. Fails with `COMMIT_GONE`, `COMMIT_REFUSED`, `REPO_UNREACHABLE`, `REPO_REFUSED`,
 * `TIMED_OUT`, `STORE_FULL`, `NO_PROCESS` or `CANCELLED`.
 */
export async function ensureCommit(
  context: GitContext,
  source: GitSource,
  commit: string,
  job: Journal,
): Promise<Result<string>> {
  const located = locate(source);
  if (!located.ok) return located;
  if (!isCommit(commit)) return failure(problem("COMMIT_GONE", `"${commit}" is not the full name of a commit`));
  const dir = cacheDir(context, source);
  // What is there already waits for no fetch of others; but thousands do not look for it all at once.
  const look = (): Promise<Result<boolean>> => has(context, dir, commit, job.signal);
  const there = context.opened.has(dir) && (await context.locks.hold(`${dir} look`, job.signal, look, context.behind));
  if (there && there.ok && there.value) return success(dir);
  const fetchMissing = async (): Promise<Result<string>> => {
    const opened = await open(context, dir, commit, job.signal);
    if (!opened.ok) return opened;
    const known = await has(context, dir, commit, job.signal);
    if (!known.ok) return known;
    if (known.value) return success(dir);
    const fetched = await fetchOrRenew(context, dir, source, located.value, commit, job);
    return fetched.ok ? success(dir) : fetched;
  };
  const done = await context.locks.hold(dir, job.signal, fetchMissing, context.behind);
  return done ?? cancelled();
}

const cancelled = (): Result<never> => failure(problem("CANCELLED", "cancelled before the fetch"));

/** Throws the cache away; the next fetch makes it anew. For caches that turn out to be damaged. */
export async function dropCache(context: GitContext, source: GitSource, signal: AbortSignal): Promise<void> {
  const dir = cacheDir(context, source);
  await context.locks.hold(dir, signal, () => rm(dir, { recursive: true, force: true }));
}

/** A fetch fails for the sake of the other side, or because our cache is damaged: then it is made anew, once. */
async function fetchOrRenew(
  context: GitContext,
  dir: string,
  source: GitSource,
  from: Located,
  commit: string,
  job: Journal,
): Promise<Result<void>> {
  const fetched = await fetchCommit(context, dir, { ...from, source }, commit, job);
  if (fetched.ok || fetched.error.code !== "REPO_UNREACHABLE") return fetched;
  const heads = await readHeads(context, source, job.signal);
  if (!heads.ok) return fetched;
  job.log("the repository answers, so its cache must be damaged: it is made anew");
  await rm(dir, { recursive: true, force: true });
  const opened = await open(context, dir, commit, job.signal);
  return opened.ok ? fetchCommit(context, dir, { ...from, source }, commit, job) : opened;
}

async function open(context: GitContext, dir: string, commit: string, signal: AbortSignal): Promise<Result<void>> {
  if (!context.opened.has(dir)) {
    await removeLeftovers(dir);
    context.opened.add(dir);
  }
  const sound = await usable(context, dir, signal);
  if (!sound.ok) return sound;
  if (sound.value) return success(undefined);
  if (signal.aborted) return cancelled();
  await rm(dir, { recursive: true, force: true });
  const format = commit.length === 64 ? "sha256" : "sha1";
  const args = ["init", "--quiet", "--bare", "--template=", `--object-format=${format}`, dir] as const;
  const made = await git(context, { args, signal });
  return made.ok ? success(undefined) : made;
}

/** Fails only with what is no fault of the cache. */
async function usable(context: GitContext, dir: string, signal: AbortSignal): Promise<Result<boolean>> {
  const there = await access(join(dir, "HEAD")).then(
    () => true,
    () => false,
  );
  if (!there) return success(false);
  const answer = await git(context, { gitDir: dir, args: ["rev-parse", "--is-bare-repository"], signal });
  if (!answer.ok) return isOfMachine(answer.error) ? answer : success(false);
  return success(answer.value.toString("utf8").trim() === "true");
}

/** A killed git leaves lock files that would block every later one, and half a pack. */
async function removeLeftovers(dir: string): Promise<void> {
  const names = await readdir(dir, { recursive: true }).catch(() => []);
  for (const name of names) {
    if (name.endsWith(".lock") || /(^|\/)tmp_[^/]*$/.test(name)) await rm(join(dir, name), { force: true });
  }
}

async function has(context: GitContext, dir: string, commit: string, signal: AbortSignal): Promise<Result<boolean>> {
  const args = ["rev-parse", "--verify", "--quiet", `${refOf(commit)}^{commit}`] as const;
  const answer = await git(context, { gitDir: dir, args, signal });
  if (!answer.ok) return isOfMachine(answer.error) ? answer : success(false);
  return success(answer.value.toString("utf8").trim() === commit);
}

/** Each commit gets a reference of its own, written after its objects: it is whole, and is never collected. */
const refOf = (commit: string): string => `refs/commits/${commit}`;

interface From extends Located {
  readonly source: GitSource;
}

async function fetchCommit(
  context: GitContext,
  dir: string,
  from: From,
  commit: string,
  job: Journal,
): Promise<Result<void>> {
  job.log(`fetch ${commit} from ${masked(from.url)}`);
  const isLast = (error: Failure): boolean => job.signal.aborted || isOfMachine(error) || error.code === "TIMED_OUT";
  const direct = await fetch(context, dir, from, `${commit}:${refOf(commit)}`, job);
  if (direct.ok) return direct;
  if (isLast(direct.error)) return direct;
  const malformed = /^.*fsck error.*$|^error: object [0-9a-f]+: .*$/m.exec(direct.error.message)?.[0];
  if (malformed !== undefined) {
    return failure(problem("COMMIT_REFUSED", `commit ${commit} of ${masked(from.url)}: ${malformed}`));
  }
  // A server may refuse to serve a commit by name: then it must be in one of the branches.
  const heads = await fetch(context, dir, from, "+refs/heads/*:refs/heads/*", job);
  if (!heads.ok) {
    if (isLast(heads.error)) return heads;
    return failure(problem("REPO_UNREACHABLE", `cannot fetch from ${masked(from.url)}: ${heads.error.message}`));
  }
  const args = ["update-ref", refOf(commit), `${commit}^{commit}`] as const;
  const kept = await git(context, { gitDir: dir, args, signal: job.signal });
  if (kept.ok) return success(undefined);
  if (isLast(kept.error)) return kept;
  return failure(problem("COMMIT_GONE", `commit ${commit} is not in ${masked(from.url)} any more`));
}

async function fetch(
  context: GitContext,
  dir: string,
  from: From,
  refspec: string,
  job: Journal,
): Promise<Result<void>> {
  const fetched = await withAuth(from.source, job.signal, (env) =>
    git(context, {
      gitDir: dir,
      args: ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--prune", "--force", "--", from.url, refspec],
      protocols: [from.protocol],
      env,
      signal: job.signal,
      timeoutMs: TIMEOUT_MS,
      onOutput: (chunk) => job.write(chunk),
    }),
  );
  return fetched.ok ? success(undefined) : fetched;
}
