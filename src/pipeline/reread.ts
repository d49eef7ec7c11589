import { problem } from "../engine/errors.ts";
import type { Refs } from "../engine/refs.ts";
import { failure, type Result, success } from "../term/output.ts";
import type { Term } from "../term/term.ts";
import type { RepoName } from "./types.ts";

/** A repository at a forge whose branches and pull requests are followed. */
export interface Followed {
  readonly repo: RepoName;
  readonly refs: Term<Refs>;
  readonly reread: () => Promise<Result<Refs>>;
}

/**
 * Repositories by their number: what a forge tells of may be newer than what we have read. Whoever finds nothing has it
 * read anew before they say that there is nothing.
 */
export interface Reread {
  /** What a repository is called here; undefined when nothing is known of such a number. */
  nameOf(repository: number): RepoName | undefined;
  /**
   * Reads a repository once more, from now on. Ok: all that is known of its branches and pull requests now was read
   * after the call, or cannot be read for good, or it is none of ours. Fails transiently while its number may still come
   * to be known, or as the forge does.
   */
  read(repository: number): Promise<Result<void>>;
}

export function rereading(followed: readonly Followed[]): Reread {
  const find = (repository: number): Followed | undefined => followed.find(({ refs }) => idOf(refs) === repository);
  return {
    nameOf: (repository) => find(repository)?.repo,
    read: async (repository) => {
      const found = find(repository);
      if (found !== undefined) return readAll(found);
      const unread = followed.find(({ refs }) => mayBeReadYet(refs));
      if (unread === undefined) return success(undefined);
      return failure(problem("INTERRUPTED", `${unread.repo} has not been read yet`));
    },
  };
}

const idOf = ({ output }: Term<Refs>): number | undefined => (output.state === "ok" ? output.value.id : undefined);

/** What the app is not let in to is not waited for: whatever comes from elsewhere would wait along. */
const mayBeReadYet = ({ output }: Term<Refs>): boolean =>
  output.state === "active" || (output.state === "failed" && output.failure.class === "transient");

async function readAll({ repo, reread }: Followed): Promise<Result<void>> {
  const read = await reread();
  if (!read.ok) return read;
  const { pullsOutdated } = read.value;
  if (pullsOutdated?.class !== "transient") return success(undefined);
  return failure(problem("FORGE_UNREACHABLE", `reading the pull requests of ${repo}: ${pullsOutdated.message}`));
}
