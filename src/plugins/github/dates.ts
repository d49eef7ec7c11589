import { problem } from "../../engine/errors.ts";
import type { BranchRef } from "../../engine/refs.ts";
import { failure, type Result, success } from "../../term/output.ts";
import type { RepoName } from "./api.ts";
import type { Ask } from "./pages.ts";
import { recordOf, textIn } from "./shape.ts";

const AT_ONCE = 8;

/** When commits were committed. A commit never changes, so each is asked for once. */
export class Dates {
  readonly #repo: RepoName;
  readonly #known = new Map<string, number>();

  constructor(repo: RepoName) {
    this.#repo = repo;
  }

  /** Finds out what is not known yet. What was found out before it failed is kept. */
  async read(
    branches: ReadonlyMap<string, BranchRef>,
    known: ReadonlyMap<string, number>,
    ask: Ask,
  ): Promise<Result<void>> {
    const wanted = new Set([...branches.values()].map(({ commit }) => commit));
    for (const [commit, ms] of known) if (wanted.has(commit)) this.#known.set(commit, ms);
    for (const commit of this.#known.keys()) if (!wanted.has(commit)) this.#known.delete(commit);
    const missing = [...wanted].filter((commit) => !this.#known.has(commit));
    for (let at = 0; at < missing.length; at += AT_ONCE) {
      const answers = await Promise.all(missing.slice(at, at + AT_ONCE).map((commit) => this.#ask(commit, ask)));
      const failed = answers.find((answer) => !answer.ok);
      if (failed !== undefined && !failed.ok) return failed;
    }
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

  async #ask(commit: string, ask: Ask): Promise<Result<void>> {
    const answer = await ask(`/repos/${this.#repo}/commits/${commit}?per_page=1`, undefined);
    if (!answer.ok) return answer;
    if (answer.value.status === 404) return success(undefined); // pushed away in between: the next reading tells
    const { committer } = recordOf(recordOf(answer.value.data)["commit"]);
    const ms = Date.parse(textIn(recordOf(committer), "date") ?? "");
    if (!Number.isFinite(ms)) return failure(problem("FORGE_FAULT", `${this.#repo}: commit ${commit} has no date`));
    this.#known.set(commit, ms);
    return success(undefined);
  }
}
