import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";
import { authEnvironment } from "./auth.ts";
import { type GitContext, git } from "./command.ts";
import { type GitSource, isCommit, locate, masked } from "./source.ts";

const TIMEOUT_MS = 60_000;
const PREFIX = "refs/heads/";

/**
 * All branches of a repository, name → commit. An empty repository has none.
 *
 * Fails with `REPO_UNREACHABLE` (never "no branches"), `REPO_REFUSED` or `CANCELLED`; gives up after 60 s.
 */
export async function readHeads(
  context: GitContext,
  source: GitSource,
  signal: AbortSignal,
): Promise<Result<ReadonlyMap<string, string>>> {
  const located = locate(source);
  if (!located.ok) return located;
  const { url, protocol } = located.value;
  const args = ["ls-remote", "--heads", "--", url] as const;
  const env = await authEnvironment(source, signal);
  if (!env.ok) return env;
  const listed = await git(context, { args, protocols: [protocol], env: env.value, signal, timeoutMs: TIMEOUT_MS });
  if (!listed.ok) {
    if (listed.error.code === "CANCELLED") return listed;
    return failure(problem("REPO_UNREACHABLE", `cannot read the branches of ${masked(url)}: ${listed.error.message}`));
  }
  return success(headsOf(listed.value.toString("utf8")));
}

function headsOf(listing: string): ReadonlyMap<string, string> {
  const heads = new Map<string, string>();
  for (const line of listing.split("\n")) {
    const tab = line.indexOf("\t");
    const commit = line.slice(0, tab);
    const ref = line.slice(tab + 1);
    if (isCommit(commit) && ref.startsWith(PREFIX)) heads.set(ref.slice(PREFIX.length), commit);
  }
  return heads;
}
