import { problem } from "../../engine/errors.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { wantsPassword, withAuth } from "./auth.ts";
import { type GitContext, git } from "./command.ts";
import { type GitSource, isCommit, locate, masked } from "./source.ts";

const TIMEOUT_MS = 60_000;
const PREFIX = "refs/heads/";

/**
 * All branches of a repository, name → commit. An empty repository has none.
 *
 * Fails with `REPO_UNREACHABLE` (never "no branches"), `REPO_HIDDEN`, `REPO_REFUSED` or `CANCELLED`; gives up after 60 s.
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
  return withAuth(source, signal, async (env) => {
    const listed = await git(context, { args, protocols: [protocol], env, signal, timeoutMs: TIMEOUT_MS });
    if (listed.ok) return success(headsOf(listed.value.toString("utf8")));
    return listed.error.code === "CANCELLED" ? listed : failure(notRead(source, listed.error));
  });
}

/** Whoever is not known gets the same answer for what is private and for what is not there. */
function notRead({ url, auth }: GitSource, error: Failure): Failure {
  const isHidden = wantsPassword(error) || /repository '[^']*' not found/i.test(error.message);
  if (auth !== undefined || !isHidden)
    return problem("REPO_UNREACHABLE", `cannot read the branches of ${masked(url)}: ${error.message}`);
  const what = `${masked(url)} does not exist, or it is private and takes a token to be read`;
  return problem("REPO_HIDDEN", `${what}, which Millrace has none for`);
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
