import type { BranchRef } from "../../engine/refs.ts";
import { type Result, success } from "../../term/output.ts";

/**
 * Reads when commits were committed, milliseconds since 1970; undefined for one that does not say so. Those that are not
 * told may be told the next time.
 */
export type ReadDates = (commits: readonly string[]) => Promise<Result<ReadonlyMap<string, number | undefined>>>;

/** When commits were committed. A commit never changes, so each is asked for once. */
export class Dates {
  readonly #known = new Map<string, number | undefined>();

  /** Finds out what is not known yet, all at once. */
  async read(
    branches: ReadonlyMap<string, BranchRef>,
    known: ReadonlyMap<string, number>,
    readDates: ReadDates,
  ): Promise<Result<void>> {
    const wanted = new Set([...branches.values()].map(({ commit }) => commit));
    for (const [commit, ms] of known) if (wanted.has(commit)) this.#known.set(commit, ms);
    for (const commit of this.#known.keys()) if (!wanted.has(commit)) this.#known.delete(commit);
    const missing = [...wanted].filter((commit) => !this.#known.has(commit));
    if (missing.length === 0) return success(undefined);
    const told = await readDates(missing);
    if (!told.ok) return told;
    for (const commit of missing) if (told.value.has(commit)) this.#known.set(commit, told.value.get(commit));
    return success(undefined);
  }

  /** The branches with the dates of their commits, where they are known. */
  of(branches: ReadonlyMap<string, BranchRef>): ReadonlyMap<string, BranchRef> {
    return new Map([...branches].map(([name, { commit }]) => [name, this.#dated(commit)]));
  }

  #dated(commit: string): BranchRef {
    const committedMs = this.#known.get(commit);
    return committedMs === undefined ? { commit } : { commit, committedMs };
  }
}
