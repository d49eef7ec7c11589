import type { Builder } from "../../engine/cache/builder.ts";
import { problem } from "../../engine/errors.ts";
import type { Job } from "../../engine/job.ts";
import type { Json } from "../../engine/json.ts";
import { failure, type Result, success } from "../../term/output.ts";
import { dropCache, ensureCommit } from "./cache.ts";
import { type GitContext, git, isOfMachine } from "./command.ts";
import { type GitSource, masked } from "./source.ts";

export interface GitFetchKey {
  readonly source: GitSource;
  /** Full name of the commit. */
  readonly commit: string;
}

/** A commit that is in our cache. `author` and `subject` were written by anybody: plain text, to be escaped. */
export interface FetchedCommit {
  readonly commit: string;
  /** The tree of the commit: two commits with the same files have the same one. */
  readonly tree: string;
  readonly author: string;
  readonly subject: string;
  /** When it was committed, milliseconds since 1970, by the committer's own clock. */
  readonly whenMs: number;
}

/** What strangers write is kept short enough for a line of a page. */
const TEXT_MAX = 500;

/** Fetches one commit into the cache of its repository. Codes: those of `ensureCommit`. */
export const gitFetch: Builder<GitContext, GitFetchKey, FetchedCommit> = {
  id: "git-fetch",
  version: 1,
  level: "harmless",
  autoCancel: true,
  // The address decides where it is fetched from, the commit what.
  key: ({ source, commit }) => ({ url: source.url, commit }),
  value: { encode: encodeCommit, decode: decodeCommit },
  describe: ({ source, commit }) => `fetch ${commit.slice(0, 10)} from ${masked(source.url)}`,
  inputs: ({ source, commit }) => ({ repository: masked(source.url), commit }),
  build: async (context, { source, commit }, job) => {
    const started = await job.start({ level: "harmless" });
    if (!started.ok) return started;
    const first = await fetchAndRead(context, source, commit, job);
    if (first.ok || first.error.code !== "CHECKOUT_FAILED" || job.signal.aborted) return first;
    job.log("the cache of the repository is damaged: it is made anew");
    await dropCache(context, source, job.signal);
    return fetchAndRead(context, source, commit, job);
  },
};

async function fetchAndRead(
  context: GitContext,
  source: GitSource,
  commit: string,
  job: Job,
): Promise<Result<FetchedCommit>> {
  const cache = await ensureCommit(context, source, commit, job);
  if (!cache.ok) return cache;
  const format = "--format=%T%x00%an%x00%s%x00%ct";
  const args = ["log", "-1", "--no-show-signature", "--encoding=UTF-8", format, commit] as const;
  const read = await git(context, { gitDir: cache.value, args, signal: job.signal });
  if (!read.ok) {
    if (job.signal.aborted || isOfMachine(read.error)) return read;
    return failure(problem("CHECKOUT_FAILED", `cannot read commit ${commit}: ${read.error.message}`));
  }
  const [tree = "", author = "", subject = "", seconds = ""] = read.value.toString("utf8").trimEnd().split("\0");
  const short = (text: string): string => text.slice(0, TEXT_MAX);
  return success({ commit, tree, author: short(author), subject: short(subject), whenMs: Number(seconds) * 1000 });
}

function encodeCommit({ commit, tree, author, subject, whenMs }: FetchedCommit): Json {
  return { commit, tree, author, subject, whenMs };
}

function decodeCommit(json: Json): FetchedCommit | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const fields = new Map(Object.entries(json));
  const text = (name: string): string | undefined => {
    const value = fields.get(name);
    return typeof value === "string" ? value : undefined;
  };
  const [commit, tree, author, subject] = [text("commit"), text("tree"), text("author"), text("subject")];
  const whenMs = fields.get("whenMs");
  if (commit === undefined || tree === undefined || author === undefined || subject === undefined) return undefined;
  return typeof whenMs === "number" ? { commit, tree, author, subject, whenMs } : undefined;
}
