import type { Clock } from "../../engine/clock.ts";
import type { Json } from "../../engine/json.ts";
import { GitStore } from "./git-store.ts";

/** What is in the fake GitHub. The server answers from it; tests change it through `FakeGitHub`. */

export interface Account {
  readonly id: number;
  login: string;
  readonly type: "User" | "Organization" | "Bot";
}

/** What somebody may do with a repository. */
export type Role = "read" | "triage" | "write" | "maintain" | "admin";

/** `contents: "read"`: what an app, an installation or a token may do. */
export type Permissions = Readonly<Record<string, "read" | "write" | "admin">>;

export interface Pull {
  readonly id: number;
  readonly number: number;
  readonly author: Account;
  readonly base: string;
  /** Of the head; undefined when the fork vanished. */
  readonly from: Repository | undefined;
  readonly branch: string;
  readonly commit: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly draft: boolean;
  readonly state: "open" | "closed";
  readonly merged: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** What moves by pushes. Replaced as a whole, so that an old one can still be shown. */
export interface Heads {
  readonly branches: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  readonly pulls: ReadonlyMap<number, Pull>;
}

export interface CheckSuite {
  readonly id: number;
  readonly commit: string;
  readonly branch: string | undefined;
  readonly createdMs: number;
  /** Somebody asked for it again, and no run of it was written since: it is queued, whatever its runs still say. */
  rerequested: boolean;
}

export interface CheckRun {
  readonly id: number;
  readonly suite: CheckSuite;
  readonly commit: string;
  /** As the app last said it: name, status, conclusion, output, actions, … */
  fields: Readonly<Record<string, Json>>;
  /** Each state that the app ever gave it, oldest first, such as "queued" and "completed/success". */
  readonly states: string[];
}

export interface CommitStatus {
  readonly id: number;
  readonly commit: string;
  readonly context: string;
  readonly state: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly createdMs: number;
}

export interface DeploymentStatus {
  readonly id: number;
  readonly state: string;
  readonly description: string;
  readonly environmentUrl: string;
  readonly logUrl: string;
  readonly createdMs: number;
}

export interface Deployment {
  readonly id: number;
  readonly commit: string;
  readonly ref: string;
  readonly task: string;
  readonly environment: string;
  readonly description: string | null;
  readonly payload: Json;
  readonly transient: boolean;
  readonly production: boolean;
  readonly createdMs: number;
  /** Oldest first. */
  readonly statuses: DeploymentStatus[];
}

export interface Comment {
  readonly id: number;
  readonly issue: number;
  readonly author: Account;
  body: string;
  readonly createdMs: number;
  updatedMs: number;
}

export interface Repository {
  readonly id: number;
  owner: Account;
  name: string;
  private: boolean;
  archived: boolean;
  defaultBranch: string;
  readonly parent: Repository | undefined;
  /** Shared with its forks, as GitHub does it. */
  readonly git: GitStore;
  heads: Heads;
  /** Before each of the last changes, newest last, and when that came. */
  headsBefore: readonly { readonly heads: Heads; readonly untilMs: number }[];
  readonly roles: Map<number, Role>;
  readonly suites: CheckSuite[];
  readonly checkRuns: CheckRun[];
  readonly statuses: CommitStatus[];
  readonly deployments: Deployment[];
  readonly comments: Comment[];
}

export interface Team {
  readonly id: number;
  readonly org: Account;
  readonly slug: string;
  readonly members: Set<number>;
  /** Asked to join, and not yet agreed. */
  readonly invited: Set<number>;
}

export interface Installation {
  readonly id: number;
  readonly account: Account;
  permissions: Permissions;
  /** Ids; undefined: all of the account's. */
  repositories: Set<number> | undefined;
  suspended: boolean;
  readonly createdMs: number;
}

export const fullName = (repository: Repository): string => `${repository.owner.login}/${repository.name}`;

/** Everything, with the ways to find it. Names are found whatever their case, as at GitHub. */
export class World {
  readonly clock: Clock;
  readonly accounts = new Map<number, Account>();
  readonly repositories = new Map<number, Repository>();
  readonly installations = new Map<number, Installation>();
  readonly teams: Team[] = [];
  /** Members of organisations, by the organisation's id. */
  readonly members = new Map<number, Set<number>>();
  /** Old full names, in lower case, of repositories that were renamed or transferred. */
  readonly formerNames = new Map<string, number>();
  #lastId = 1_000;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  account(login: string): Account | undefined {
    const wanted = login.toLowerCase();
    return [...this.accounts.values()].find((account) => account.login.toLowerCase() === wanted);
  }

  /** The account, made when there is none of that name. */
  accountOf(login: string, type: Account["type"]): Account {
    const known = this.account(login);
    if (known !== undefined) return known;
    const account: Account = { id: this.nextId(), login, type };
    this.accounts.set(account.id, account);
    return account;
  }

  repository(name: string): Repository | undefined {
    const wanted = name.toLowerCase();
    return [...this.repositories.values()].find((repository) => fullName(repository).toLowerCase() === wanted);
  }

  addRepository(owner: Account, name: string, more: Partial<Repository>): Repository {
    const heads: Heads = more.heads ?? { branches: new Map(), tags: new Map(), pulls: new Map() };
    const made: Repository = {
      id: this.nextId(),
      owner,
      name,
      private: false,
      archived: false,
      defaultBranch: "main",
      parent: undefined,
      git: new GitStore(),
      roles: new Map(),
      suites: [],
      checkRuns: [],
      statuses: [],
      deployments: [],
      comments: [],
      ...more,
      heads,
      headsBefore: [],
    };
    this.repositories.set(made.id, made);
    return made;
  }

  installationFor(repository: Repository): Installation | undefined {
    return [...this.installations.values()].find((one) => isOf(one, repository));
  }

  /** The strongest that is given: as owner, by name, or because everybody may read. */
  roleOf(repository: Repository, user: Account): Role | undefined {
    if (repository.owner.id === user.id) return "admin";
    const given = repository.roles.get(user.id);
    return given ?? (repository.private ? undefined : "read");
  }
}

/** Whether the installation reaches the repository. */
export const isOf = (installation: Installation, repository: Repository): boolean =>
  installation.account.id === repository.owner.id &&
  (installation.repositories === undefined || installation.repositories.has(repository.id));

/** For so long heads from before can be shown, as copies of a copy do that lag behind. */
const HEADS_KEPT_MS = 300_000;
const HEADS_KEPT_MAX = 20;

/** Moves heads; those from before stay to be shown by the mishap "old heads". */
export function move({ clock }: World, repository: Repository, change: Partial<Heads>): void {
  const nowMs = clock.now();
  const kept = repository.headsBefore
    .filter(({ untilMs }) => nowMs - untilMs < HEADS_KEPT_MS)
    .slice(1 - HEADS_KEPT_MAX);
  repository.headsBefore = [...kept, { heads: repository.heads, untilMs: nowMs }];
  repository.heads = { ...repository.heads, ...change };
}

/** As they were so long ago; before the last change, when that is not said. */
export function headsBefore({ clock }: World, repository: Repository, byMs: number | undefined): Heads {
  const atMs = clock.now() - (byMs ?? 0);
  const before = repository.headsBefore;
  const then = byMs === undefined ? before.at(-1) : before.find(({ untilMs }) => untilMs > atMs);
  return then?.heads ?? repository.heads;
}

/** The commit of a branch, a tag, a full ref or a commit's id. */
export function commitOf(repository: Repository, ref: string, heads: Heads = repository.heads): string | undefined {
  const name = ref.replace(/^refs\//, "");
  const pull = /^pull\/(\d+)\/head$/.exec(name)?.[1];
  if (pull !== undefined) return heads.pulls.get(Number(pull))?.commit;
  return (
    heads.branches.get(name.replace(/^heads\//, "")) ??
    heads.tags.get(name.replace(/^tags\//, "")) ??
    (repository.git.commits.has(name) ? name : undefined)
  );
}

/** All refs as git names them, in order. */
export function refsOf(heads: Heads): readonly (readonly [string, string])[] {
  const refs = [
    ...[...heads.branches].map(([name, commit]) => [`refs/heads/${name}`, commit] as const),
    ...[...heads.tags].map(([name, commit]) => [`refs/tags/${name}`, commit] as const),
    ...[...heads.pulls.values()].map(({ number, commit }) => [`refs/pull/${number}/head`, commit] as const),
  ];
  return refs.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
