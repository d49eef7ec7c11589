import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import type { BranchRef, Person, PullRef, Refs } from "../../engine/refs.ts";
import { failure, type Result, success } from "../../term/output.ts";
import type { RefsOptions, RepoName } from "./api.ts";
import { Dates, type ReadDates } from "./dates.ts";
import { type Ask, PAGE_SIZE, Pages } from "./pages.ts";
import type { Rank } from "./permissions.ts";
import { Recent } from "./recent.ts";
import { numberIn, recordOf, textIn } from "./shape.ts";

interface Identity {
  readonly id: number;
  readonly name: string;
  readonly defaultBranch: string;
}

/** How long a copy of GitHub's that lags behind is given, milliseconds: it is asked again after each of these. */
const LATE_MS = [5_000, 10_000];

/** An account that was deleted. */
const GHOST: Person = { id: 0, login: "ghost" };

/** The branches and open pull requests of one repository, kept page by page so that only news are sent. */
export class RefsReader {
  readonly #repo: RepoName;
  readonly #branches: Pages<BranchRef>;
  readonly #pulls: Pages<PullRef>;
  readonly #dates = new Dates();
  readonly #recent = new Recent();
  #identity: { readonly value: Identity; readonly etag?: string } | undefined;

  constructor(api: URL, repo: RepoName) {
    this.#repo = repo;
    const base = `/repos/${repo}`;
    this.#branches = new Pages(api, `${base}/branches?per_page=${PAGE_SIZE}`, branchOf);
    // Oldest first: a new one comes last and moves none of the others to another page.
    const pulls = `${base}/pulls?state=open&sort=created&direction=asc&per_page=${PAGE_SIZE}`;
    this.#pulls = new Pages(api, pulls, (value) => pullOf(value, this.#identity?.value.id));
  }

  /** The number that the name meant when it was last read. */
  get id(): number | undefined {
    return this.#identity?.value.id;
  }

  /** What goes back to how it was a moment ago is asked for again before it is believed: it may be a late answer. */
  async read(ask: (rank: Rank) => Ask, options: RefsOptions, clock: Clock, signal: AbortSignal): Promise<Result<Refs>> {
    let read = await this.#readOnce(ask, options, signal);
    for (const pauseMs of LATE_MS) {
      if (!read.ok || !this.#recent.isBack(read.value, clock.elapsed())) break;
      await clock.sleep(pauseMs, signal);
      read = await this.#readOnce(ask, options, signal);
    }
    if (read.ok) this.#recent.note(read.value, clock.elapsed());
    return read;
  }

  async #readOnce(
    ask: (rank: Rank) => Ask,
    { id, dates, pulls: before = new Map() }: RefsOptions,
    signal: AbortSignal,
  ): Promise<Result<Refs>> {
    const identity = await this.#readIdentity(ask("first"));
    if (!identity.ok) return identity;
    const same = sameRepository(this.#repo, identity.value, id);
    if (!same.ok) return same;
    const branches = await this.#branches.all(ask("first"));
    if (!branches.ok) return branches;
    const pulls = await this.#pulls.all(ask("second"));
    const readDates: ReadDates = async (commits) => dates?.read(commits, signal) ?? success(new Map());
    const dated = dates && (await this.#dates.read(branches.value, dates.known, readDates));
    const missed = [pulls, dated].flatMap((part) => (part === undefined || part.ok ? [] : [part.error]));
    const [outdated] = missed;
    if (missed.some(({ code }) => code === "CANCELLED") && outdated !== undefined) return failure(outdated);
    return success({
      ...identity.value,
      branches: dates === undefined ? branches.value : this.#dates.of(branches.value),
      pulls: pulls.ok ? new Map([...pulls.value.values()].map((pull) => [pull.number, pull])) : before,
      ...(outdated === undefined ? {} : { outdated }),
      ...(pulls.ok ? {} : { pullsOutdated: pulls.error }),
    });
  }

  async #readIdentity(ask: Ask): Promise<Result<Identity>> {
    const answer = await ask(`/repos/${this.#repo}`, this.#identity?.etag);
    if (!answer.ok) return answer;
    if (answer.value.status === 404)
      return failure(
        problem("NO_INSTALLATION", `the app does not see ${this.#repo}: it is gone, or was taken away from the app`),
      );
    if (answer.value.status === 304 && this.#identity !== undefined) return success(this.#identity.value);
    const fields = recordOf(answer.value.data);
    const id = numberIn(fields, "id");
    const [name, defaultBranch] = [textIn(fields, "full_name"), textIn(fields, "default_branch")];
    if (id === undefined || name === undefined || defaultBranch === undefined)
      return failure(problem("FORGE_FAULT", `${this.#repo}: the answer lacks the repository's id, name or branch`));
    const value = { id, name, defaultBranch };
    this.#identity = answer.value.etag === undefined ? { value } : { value, etag: answer.value.etag };
    return success(value);
  }
}

/** A name is a promise that GitHub does not give: it may lead elsewhere, or mean another repository. */
function sameRepository(repo: RepoName, { id, name }: Identity, before: number | undefined): Result<void> {
  if (before !== undefined && before !== id) {
    const message = `${repo} is another repository now (number ${id}; it was ${before}): nothing of it is deployed`;
    return failure(problem("REPO_REPLACED", message));
  }
  if (name.toLowerCase() === repo.toLowerCase()) return success(undefined);
  return failure(problem("REPO_MOVED", `${repo} is called ${name} now: nothing is deployed until pipeline.ts says so`));
}

function branchOf(value: unknown): readonly [string, BranchRef] | undefined {
  const fields = recordOf(value);
  const name = textIn(fields, "name");
  const commit = commitIn(recordOf(fields["commit"]));
  return name === undefined || commit === undefined ? undefined : [name, { commit }];
}

/** @param repository Number of the repository itself: a head that lies elsewhere is a fork's. */
function pullOf(value: unknown, repository: number | undefined): readonly [string, PullRef] | undefined {
  const fields = recordOf(value);
  const head = recordOf(fields["head"]);
  const number = numberIn(fields, "number");
  const commit = commitIn(head);
  const base = textIn(recordOf(fields["base"]), "ref");
  const branch = textIn(head, "ref");
  if (number === undefined || commit === undefined || base === undefined || branch === undefined) return undefined;
  const pull: PullRef = { number, commit, base, branch, author: personOf(fields["user"]) };
  const home = recordOf(head["repo"]);
  const id = numberIn(home, "id");
  if (id === undefined) return [String(number), { ...pull, fork: "gone" }];
  if (id === repository) return [String(number), pull];
  return [String(number), { ...pull, fork: { id, name: textIn(home, "full_name") ?? String(id) } }];
}

function personOf(value: unknown): Person {
  const fields = recordOf(value);
  const [id, login] = [numberIn(fields, "id"), textIn(fields, "login")];
  return id === undefined || login === undefined ? GHOST : { id, login };
}

function commitIn(fields: Readonly<Record<string, unknown>>): string | undefined {
  const commit = textIn(fields, "sha");
  return commit !== undefined && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit) ? commit : undefined;
}
