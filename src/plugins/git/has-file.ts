import { failure, type Result, success } from "../../term/output.ts";
import { ensureCommit, type Journal } from "./cache.ts";
import { type GitContext, git } from "./command.ts";
import type { GitSource } from "./source.ts";

/** Whether `path` is a file in the tree of `commit`. Fetches into the cache. Fails as the fetch does. */
export async function hasFile(
  context: GitContext,
  source: GitSource,
  commit: string,
  path: string,
  signal: AbortSignal,
): Promise<Result<boolean>> {
  const dir = await ensureCommit(context, source, commit, unjournalled(signal));
  if (!dir.ok) return dir;
  const listed = await git(context, { args: ["ls-tree", "-z", commit, "--", path], gitDir: dir.value, signal });
  if (!listed.ok) return failure(listed.error);
  return success(/^1(00|20)\d{3} blob /.test(listed.value.toString("utf8")));
}

/** A look at a repository is no job: nothing is recorded of it. */
const unjournalled = (signal: AbortSignal): Journal => ({ signal, log: () => {}, write: () => {} });
