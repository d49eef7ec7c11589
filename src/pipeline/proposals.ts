import type { ChangedFile, Changes, Proposal } from "../engine/changes.ts";
import { problem } from "../engine/errors.ts";
import type { Refs } from "../engine/refs.ts";
import { failure, type Output, type Result, success } from "../term/output.ts";
import type { CheckHead } from "./check-heads.ts";
import type { Writers } from "./may-build.ts";
import type { DockerBuild, RepoName } from "./types.ts";

/** Looks up what a stranger's commit changes, when somebody asks. */
export type Propose = (head: CheckHead, signal: AbortSignal) => Promise<Result<Proposal>>;

/**
 * How what waits for approval is shown: against the base branch as it is when somebody asks, the files that decide what
 * a build does apart from the others.
 */
export function proposals(
  writers: Writers,
  repo: RepoName,
  refs: () => Output<Refs>,
  builds: readonly DockerBuild[],
): Propose {
  return async ({ from, commit }, signal) => {
    const known = refs();
    const base = known.state === "ok" && from !== undefined ? known.value.branches.get(from.base)?.commit : undefined;
    if (writers.changes === undefined || from === undefined)
      return failure(problem("NOT_POSSIBLE", `nobody tells what pull requests of ${repo} change`));
    if (base === undefined)
      return failure(problem("NOT_POSSIBLE", `the branch ${from.base}, for which #${from.pull} is, is not known`));
    const found = await writers.changes(repo, base, commit, signal);
    return found.ok ? success(sorted(found.value, builds)) : found;
  };
}

function sorted({ files, ...rest }: Changes, builds: readonly DockerBuild[]): Proposal {
  const decides = ({ path, before }: ChangedFile): boolean =>
    decidesBuild(path, builds) || (before !== undefined && decidesBuild(before, builds));
  const others = files.filter((file) => !decides(file));
  // Of the others nothing but their counts is shown, so that is all that is kept.
  return {
    ...rest,
    deciding: limited(files.filter(decides)),
    others: others.map(countsOf),
  };
}

function countsOf({ path, before, status, added, removed }: ChangedFile): ChangedFile {
  return { path, ...(before === undefined ? {} : { before }), status, added, removed };
}

/** Nobody reads more on one page. */
const PATCH_CHARS_MAX = 400_000;

/** Patches of files behind the limit are left out. */
function limited(files: readonly ChangedFile[]): readonly ChangedFile[] {
  let chars = 0;
  return files.map(({ patch, ...file }) => {
    chars += patch?.length ?? 0;
    if (patch === undefined) return file;
    return chars > PATCH_CHARS_MAX ? { ...file, cut: true } : { ...file, patch };
  });
}

/** Anywhere in the repository: an ignore file, what git does to files, and what is fetched beside them. */
const NAMES = new Set([".dockerignore", ".gitmodules", ".gitattributes", "pipeline.ts"]);
const DOCKERFILE = /^(?:docker|container)file(?:\.|$)|\.(?:docker|container)file$|\.dockerignore$/i;
const FOLDERS = [".github/workflows/", ".github/actions/", "contexts/"];

/** Whether the file at a path says what is built, or with which rights: whoever approves has to read how it changed. */
export function decidesBuild(path: string, builds: readonly DockerBuild[]): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const plain = (file: string): string => file.replace(/^(?:\.\/)+/, "");
  return (
    NAMES.has(name) ||
    DOCKERFILE.test(name) ||
    FOLDERS.some((folder) => path.startsWith(folder)) ||
    builds.some(({ dockerfile }) => path === plain(dockerfile) || path === `${plain(dockerfile)}.dockerignore`)
  );
}
