import { limit } from "../../engine/abort.ts";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import type { BranchRef, Person, PullRef, Refs } from "../../engine/refs.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import type { RefsOptions, RepoName } from "./api.ts";
import { Dates, type ReadDates } from "./dates.ts";
import { type Ask, PAGE_SIZE, Pages } from "./pages.ts";
import type { Rank } from "./permissions.ts";
import { Recent } from "./recent.ts";
import { numberIn, recordOf, textIn } from "./shape.ts";
import { type Found, Unhurried } from "./unhurried.ts";

interface Identity {
  readonly id: number;
  readonly name: string;
  readonly defaultBranch: string;
}

/** The open pull requests of the repository that had this number. */
interface Listed {
  readonly id: number;
  readonly pulls: ReadonlyMap<string, PullRef>;
}

interface Branches {
  readonly identity: Identity;
  readonly branches: ReadonlyMap<string, BranchRef>;
}

/** How long a copy of GitHub's that lags behind is given, milliseconds: it is asked again after each of these. */
const LATE_MS = [5_000, 10_000];
/** The same for pull requests, for which nothing stands still meanwhile. */
const BACK_MS = 15_000;
/** So long may pull requests and dates come after the branches, milliseconds. */
const PATIENCE_MS = 3_000;
/**
 * The same for the dates of a repository that was never read, milliseconds: nothing of it is deployed yet, and it may have
 * thousands of branches that nobody cares for any more, which would all be fetched one by one.
 */
const FIRST_MS = 60_000;
/** What did not come in time is looked for again after this time, milliseconds. */
const AGAIN_MS = 5_000;

/** What is not asked for is not late. */
const READ: Found<void> = { result: success(undefined), isOlder: false };

/** An account that was deleted. */
const GHOST: Person = { id: 0, login: "ghost" };

/** The branches and open pull requests of one repository, kept page by page so that only news are sent. */
export class RefsReader {
  readonly #repo: RepoName;
  readonly #branches: Pages<BranchRef>;
  readonly #pulls: Pages<PullRef>;
  readonly #dates = new Dates();
  readonly #askedPulls = new Unhurried<Listed>();
  readonly #askedDates = new Unhurried<void>();
  readonly #recentBranches = new Recent();
  readonly #recentPulls = new Recent();
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

  /**
   * What goes back to how it was a moment ago is asked for again before it is believed: it may be a late answer. What
   * is deployed hangs on the branches alone, so nothing waits long for the rest.
   */
  async read(ask: (rank: Rank) => Ask, options: RefsOptions, clock: Clock, signal: AbortSignal): Promise<Result<Refs>> {
    let read = await this.#readBranches(ask("first"), options.id);
    for (const pauseMs of LATE_MS) {
      if (!read.ok || this.#recentBranches.backForMs(read.value.branches, clock.elapsed()) === undefined) break;
      await clock.sleep(pauseMs, signal);
      read = await this.#readBranches(ask("first"), options.id);
    }
    if (!read.ok) return read;
    const { identity, branches } = read.value;
    this.#recentBranches.note(branches, clock.elapsed());
    const rest = await this.#readRest(ask("second"), read.value, options, clock, signal);
    if (!rest.ok) return rest;
    return success({
      ...identity,
      branches: options.dates === undefined ? branches : this.#dates.of(branches),
      ...rest.value,
    });
  }

  async #readBranches(ask: Ask, id: number | undefined): Promise<Result<Branches>> {
    const identity = await this.#readIdentity(ask);
    if (!identity.ok) return identity;
    const same = sameRepository(this.#repo, identity.value, id);
    if (!same.ok) return same;
    const branches = await this.#branches.all(ask);
    return branches.ok ? success({ identity: identity.value, branches: branches.value }) : branches;
  }

  /** The pull requests and the dates, as far as they are told soon. */
  async #readRest(
    ask: Ask,
    { identity: { id }, branches }: Branches,
    options: RefsOptions,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<Result<Pick<Refs, "pulls" | "outdated" | "pullsOutdated">>> {
    const { dates, pulls: before = new Map<number, PullRef>() } = options;
    const isFirst = options.pulls === undefined;
    const readDates: ReadDates = async (commits) => dates?.read(commits, signal) ?? success(new Map());
    const askDates = async () => this.#dates.read(branches, dates?.known ?? new Map(), readDates);
    const askPulls = async (): Promise<Result<Listed>> => {
      const pulls = await this.#pulls.all(ask);
      return pulls.ok ? success({ id, pulls: pulls.value }) : pulls;
    };
    const datesMs = isFirst ? FIRST_MS : PATIENCE_MS;
    const [listed, dated] = await Promise.all([
      within(PATIENCE_MS, clock, signal, (over) => this.#askedPulls.get(askPulls, over)),
      dates === undefined ? READ : within(datesMs, clock, signal, (over) => this.#askedDates.get(askDates, over)),
    ]);
    if (signal.aborted)
      return failure(problem("CANCELLED", `read ${this.#repo}: ${String(signal.reason ?? "cancelled")}`));
    const { pulls = before, pullsOutdated } = this.#pullsOf(listed, id, clock);
    const outdated = pullsOutdated ?? this.#datesOutdated(dated, clock);
    return success({
      pulls,
      ...(outdated === undefined ? {} : { outdated }),
      ...(pullsOutdated === undefined ? {} : { pullsOutdated }),
    });
  }

  /** What an earlier question was told takes the place of what was known before, but may lack what came since. */
  #pullsOf(
    listed: Found<Listed> | undefined,
    id: number,
    clock: Clock,
  ): Partial<Pick<Refs, "pulls" | "pullsOutdated">> {
    const late = this.#late("the pull requests", clock);
    if (listed === undefined) return { pullsOutdated: late };
    const { result, isOlder } = listed;
    if (!result.ok) return { pullsOutdated: result.error };
    if (result.value.id !== id) return { pullsOutdated: late }; // another repository has taken the name since
    const believed = this.#believed(result.value.pulls, clock);
    if (!believed.ok) return { pullsOutdated: believed.error };
    return { pulls: believed.value, ...(isOlder ? { pullsOutdated: late } : {}) };
  }

  /** What an earlier question was told is with the others; it was not about the newest commits. */
  #datesOutdated(dated: Found<void> | undefined, clock: Clock): Failure | undefined {
    if (dated === undefined || dated.isOlder) return this.#late("the dates of the branches", clock);
    return dated.result.ok ? undefined : dated.result.error;
  }

  /** What goes back is believed once it has stayed so; whoever looks meanwhile comes again. */
  #believed(read: ReadonlyMap<string, PullRef>, clock: Clock): Result<ReadonlyMap<number, PullRef>> {
    const pulls = new Map([...read.values()].map((pull) => [pull.number, pull]));
    const backForMs = this.#recentPulls.backForMs(pulls, clock.elapsed());
    if (backForMs !== undefined && backForMs < BACK_MS) {
      const message = `the pull requests of ${this.#repo} are as they were a moment ago: they are asked for again`;
      return failure({ ...problem("FORGE_UNREACHABLE", message), retryAtMs: clock.now() + AGAIN_MS });
    }
    this.#recentPulls.note(pulls, clock.elapsed());
    return success(pulls);
  }

  #late(what: string, clock: Clock): Failure {
    const message = `${what} of ${this.#repo} have not come within seconds: nothing waits for them`;
    return { ...problem("FORGE_UNREACHABLE", message), retryAtMs: clock.now() + AGAIN_MS };
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

/** Calls `work` with the moment from which on nobody waits for it any more. */
async function within<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  work: (over: Promise<void>) => Promise<T>,
): Promise<T> {
  const enough = limit(clock, ms, signal);
  const over = new Promise<void>((resolve) => {
    if (enough.signal.aborted) resolve();
    enough.signal.addEventListener("abort", () => resolve());
  });
  try {
    return await work(over);
  } finally {
    enough.end();
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
