import type { ChangedFile, Changes } from "../../engine/changes.ts";
import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";
import type { GitHub, RepoName } from "./api.ts";
import { numberIn, recordOf, textIn } from "./shape.ts";

/**
 * As many as GitHub lists.
 *
 * @source https://docs.github.com/en/rest/commits/commits#compare-two-commits
 */
const FILES_MAX = 300;
/** Nobody reads more of one file. */
const PATCH_CHARS_MAX = 60_000;

/**
 * What a commit has changed since it left its base. Both by their full names, so that the answer is the same for ever.
 *
 * Fails as every request to GitHub does.
 */
export async function readChanges(
  github: Pick<GitHub, "ask">,
  repo: RepoName,
  base: string,
  commit: string,
  signal: AbortSignal,
): Promise<Result<Changes>> {
  const basehead = `${base}...${commit}`;
  const answer = await github.ask(repo, "GET /repos/{owner}/{repo}/compare/{basehead}", { basehead }, signal);
  if (!answer.ok) return answer;
  const fields = recordOf(answer.value);
  const since = textIn(recordOf(fields["merge_base_commit"]), "sha");
  const listed: unknown = fields["files"];
  if (since === undefined || !Array.isArray(listed))
    return failure(problem("FORGE_FAULT", `the comparison of ${basehead} in ${repo} names no files`));
  const files = listed.map(fileOf);
  const known = files.filter((file) => file !== undefined);
  return success({ since, files: known, whole: known.length === files.length && files.length < FILES_MAX });
}

const STATUS: Readonly<Record<string, ChangedFile["status"]>> = {
  added: "added",
  copied: "added",
  removed: "removed",
  renamed: "moved",
};

/** Nothing for an entry that cannot be read: then the list is not whole. */
function fileOf(entry: unknown): ChangedFile | undefined {
  const fields = recordOf(entry);
  const path = textIn(fields, "filename");
  if (path === undefined) return undefined;
  const before = textIn(fields, "previous_filename");
  const patch = textIn(fields, "patch");
  return {
    path,
    ...(before === undefined ? {} : { before }),
    status: STATUS[textIn(fields, "status") ?? ""] ?? "changed",
    added: numberIn(fields, "additions") ?? 0,
    removed: numberIn(fields, "deletions") ?? 0,
    ...(patch === undefined ? {} : cutAt(patch)),
  };
}

/** Whole lines only. */
function cutAt(patch: string): Pick<ChangedFile, "patch" | "cut"> {
  if (patch.length <= PATCH_CHARS_MAX) return { patch };
  return { patch: patch.slice(0, patch.lastIndexOf("\n", PATCH_CHARS_MAX) + 1), cut: true };
}
