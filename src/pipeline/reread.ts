import { problem } from "../engine/errors.ts";
import type { Refs } from "../engine/refs.ts";
import { failure, type Result, success } from "../term/output.ts";
import type { Term } from "../term/term.ts";
import type { RepoName } from "./types.ts";
import type { Watching } from "./watched.ts";

/** A repository at a forge whose branches and pull requests are followed. */
export interface Followed {
  readonly repo: RepoName;
  readonly refs: Term<Refs>;
  readonly monitor: Pick<Watching, "refresh">;
}

/**
 * Repositories by their number: what a forge tells of may be newer than what we have read. Whoever finds nothing has it
 * read anew before they say that there is nothing.
 */
export interface Reread {
  /** What a repository is called here; undefined when nothing is known of such a number. */
  nameOf(repository: number): RepoName | undefined;
  /**
   * Reads a repository once more, from now on. Ok: all that is known of it now was read after the call, or it is none of
   * ours. Fails transiently while its number is not known, or as the forge does.
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
      const unread = followed.find(({ refs }) => idOf(refs) === undefined);
      if (unread === undefined) return success(undefined);
      return failure(problem("INTERRUPTED", `${unread.repo} has not been read yet`));
    },
  };
}

const idOf = ({ output }: Term<Refs>): number | undefined => (output.state === "ok" ? output.value.id : undefined);

async function readAll({ repo, refs, monitor }: Followed): Promise<Result<void>> {
  const read = await monitor.refresh();
  if (!read.ok) return read;
  const { staleSinceMs, detail = "" } = refs.metadata;
  if (staleSinceMs === undefined) return success(undefined);
  return failure(problem("FORGE_UNREACHABLE", `reading the pull requests of ${repo}: ${detail}`));
}
