import { randomBytes } from "node:crypto";
import { lstat, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { problem } from "../../engine/errors.ts";
import type { Job } from "../../engine/job.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { dropCache, ensureCommit } from "./cache.ts";
import { fileFailure, type GitContext, git, isOfMachine } from "./command.ts";
import { type GitSource, isCommit } from "./source.ts";
import { submodulesOf, type TreeEntry } from "./submodules.ts";

export interface CheckoutOptions {
  /** With a `.git` of its own that needs no other directory, at the commit, without branches, tags and remotes. */
  readonly includeGit: boolean;
  /**
   * False: their directories stay empty. `own host`: only those on the host that the repository is on, for commits of
   * people who are not trusted.
   */
  readonly submodules: boolean | "own host";
}

/** The files of a commit, as they are in git: no filter, no hook. They are somebody else's: follow no link in them. */
export interface Checkout {
  readonly dir: string;
  dispose(): Promise<void>;
}

const ENTRIES_MAX = 500_000;
const BYTES_MAX = 8 * 1024 ** 3;
const DEPTH_MAX = 8;

/** Tells our own checkouts from those that a dead process left: only one process uses a state directory. */
const MINE = `checkout-${randomBytes(6).toString("hex")}-`;
const temporary = (state: string): string => join(state, "tmp");

/** Removes the checkouts that an earlier process left; to be called at start, when the state directory is ours. */
export async function sweepCheckouts(state: string): Promise<void> {
  const names = await readdir(temporary(state)).catch(() => []);
  const left = names.filter((name) => name.startsWith("checkout-") && !name.startsWith(MINE));
  for (const name of left) await rm(join(temporary(state), name), { recursive: true, force: true });
}

/**
 * Writes the files of a commit and of its submodules into a fresh directory below `<state>/tmp`.
 *
 * Fails as `ensureCommit` does, and with `SUBMODULE_FAILED`, `CONTEXT_REFUSED` (absurdly large) or `CHECKOUT_FAILED`.
 * A damaged cache is made anew once.
 */
export async function checkout(
  context: GitContext,
  source: GitSource,
  commit: string,
  options: CheckoutOptions,
  job: Job,
): Promise<Result<Checkout>> {
  const first = await attempt(context, source, commit, options, job);
  if (first.ok || first.error.code !== "CHECKOUT_FAILED" || job.signal.aborted) return first;
  job.log(`${first.error.message}: the cache of the repository is made anew`);
  await dropCache(context, source, job.signal);
  return attempt(context, source, commit, options, job);
}

async function attempt(
  context: GitContext,
  source: GitSource,
  commit: string,
  options: CheckoutOptions,
  job: Job,
): Promise<Result<Checkout>> {
  const made = await makeDirectory(context.state);
  if (!made.ok) return made;
  const top = made.value;
  // What cannot be removed now, for want of a file handle say, is swept at the next start; the build is done all the same.
  const dispose = (): Promise<void> => rm(top, { recursive: true, force: true }).catch(() => {});
  const dir = join(top, "tree");
  const filled = await populate(
    { context, root: source, options, job, top, left: { entries: ENTRIES_MAX, bytes: BYTES_MAX } },
    dir,
    source,
    commit,
    0,
  );
  if (filled.ok) return success({ dir, dispose });
  await dispose();
  return filled;
}

/** A directory below `<state>/tmp` that is swept at the next start, if it is left. */
export async function makeDirectory(state: string): Promise<Result<string>> {
  try {
    await makeWhole(temporary(state));
    return success(await mkdtemp(join(temporary(state), MINE)));
  } catch (error) {
    return failure(fileFailure(error, "cannot make a temporary directory"));
  }
}

/** With its parents. Node calls a full disk ENOENT then: to make just the last one tells the real reason. */
const makeWhole = (dir: string): Promise<unknown> => mkdir(dir, { recursive: true }).catch(() => mkdir(dir));

/** What stays the same while a repository and its submodules are written. */
interface Writing {
  readonly context: GitContext;
  readonly root: GitSource;
  readonly options: CheckoutOptions;
  readonly job: Job;
  /** Directory of this checkout; index files live beside the tree. */
  readonly top: string;
  /** What may still be written. */
  readonly left: { entries: number; bytes: number };
}

async function populate(
  writing: Writing,
  dir: string,
  source: GitSource,
  commit: string,
  depth: number,
): Promise<Result<void>> {
  const { context, job, options } = writing;
  const cache = await ensureCommit(context, source, commit, job);
  if (!cache.ok) return cache;
  const entries = await listTree(context, cache.value, commit, job.signal);
  if (!entries.ok) return entries;
  const small = spend(writing, entries.value, commit);
  if (!small.ok) return small;
  try {
    await makeWhole(dir);
  } catch (error) {
    return failure(fileFailure(error, "cannot make a directory for the checkout"));
  }
  const write = options.includeGit ? writeWithGit : writeFiles;
  const written = await write(writing, cache.value, dir, commit);
  if (!written.ok || options.submodules === false) return written;
  const around = { root: writing.root, ownHost: options.submodules === "own host" };
  const wanted = await submodulesOf(context, cache.value, source, around, commit, entries.value, job);
  if (!wanted.ok) return wanted;
  if (wanted.value.length > 0 && depth >= DEPTH_MAX) {
    return failure(problem("SUBMODULE_FAILED", `submodules are nested more than ${DEPTH_MAX} deep`));
  }
  for (const { path, source: inner, commit: pinned } of wanted.value) {
    const filled = (await isPlainBelow(dir, path))
      ? await populate(writing, join(dir, path), inner, pinned, depth + 1)
      : failure(problem("SUBMODULE_FAILED", `the way to ${path} leads over a link`));
    if (!filled.ok) return failure({ ...filled.error, message: `submodule ${path}: ${filled.error.message}` });
  }
  return success(undefined);
}

async function listTree(
  context: GitContext,
  cache: string,
  commit: string,
  signal: AbortSignal,
): Promise<Result<readonly TreeEntry[]>> {
  const args = ["ls-tree", "-r", "-l", "-z", "--full-tree", commit] as const;
  const listed = await git(context, { gitDir: cache, args, signal });
  if (!listed.ok)
    return listed.error.code === "OUTPUT_TOO_LONG" ? tooLarge(commit) : damaged(listed.error, commit, signal);
  const entries: TreeEntry[] = [];
  for (const line of listed.value.toString("utf8").split("\0")) {
    const [, mode, object, size, path] = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t(.*)$/s.exec(line) ?? [];
    if (mode === undefined || object === undefined || path === undefined) continue;
    entries.push({ mode, object, size: Number(size) || 0, path });
  }
  return success(entries);
}

function spend(writing: Writing, entries: readonly TreeEntry[], commit: string): Result<void> {
  writing.left.entries -= entries.length;
  for (const entry of entries) writing.left.bytes -= entry.size;
  return writing.left.entries >= 0 && writing.left.bytes >= 0 ? success(undefined) : tooLarge(commit);
}

function tooLarge(commit: string): Result<never> {
  const limits = `${ENTRIES_MAX} files and ${BYTES_MAX / 1024 ** 3} GiB`;
  return failure(problem("CONTEXT_REFUSED", `commit ${commit} has more than ${limits}, its submodules included`));
}

async function writeFiles(writing: Writing, cache: string, dir: string, commit: string): Promise<Result<void>> {
  const { context, job, top } = writing;
  const env = { GIT_INDEX_FILE: join(top, `index-${randomBytes(4).toString("hex")}`), GIT_WORK_TREE: dir };
  for (const args of [
    ["read-tree", commit],
    ["checkout-index", "--all", "--force", "--quiet"],
  ] as const) {
    const done = await git(context, { gitDir: cache, cwd: dir, args, env, signal: job.signal });
    if (!done.ok) return damaged(done.error, commit, job.signal);
  }
  return success(undefined);
}

async function writeWithGit(writing: Writing, cache: string, dir: string, commit: string): Promise<Result<void>> {
  const { context, job } = writing;
  const format = commit.length === 64 ? "sha256" : "sha1";
  const calls = [
    ["init", "--quiet", "--template=", `--object-format=${format}`, dir],
    ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", cache, commit],
    ["checkout", "--quiet", "--force", "--detach", commit],
  ] as const;
  for (const args of calls) {
    const done = await git(context, { cwd: dir, args, protocols: ["file"], signal: job.signal });
    if (!done.ok) return damaged(done.error, commit, job.signal);
  }
  return success(undefined);
}

function damaged(error: Failure, commit: string, signal: AbortSignal): Result<never> {
  if (signal.aborted) return failure(problem("CANCELLED", "cancelled during the checkout"));
  if (isOfMachine(error)) return failure(error);
  return failure(problem("CHECKOUT_FAILED", `cannot check out ${isCommit(commit) ? commit : "?"}: ${error.message}`));
}

/** Whether no name on the way from `dir` to `path` is a symbolic link. */
async function isPlainBelow(dir: string, path: string): Promise<boolean> {
  for (let at = path; at !== "."; at = dirname(at)) {
    const seen = await lstat(join(dir, at)).catch(() => undefined);
    if (seen !== undefined && !seen.isDirectory()) return false;
  }
  return true;
}
