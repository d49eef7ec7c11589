import type { Endpoints } from "@octokit/types";
import type { Observable } from "rxjs";
import type { Team } from "../../engine/access/provider.ts";
import type { PullRef, Refs } from "../../engine/refs.ts";
import type { Secret } from "../../engine/secret.ts";
import type { Result } from "../../term/output.ts";

/** `owner/name`. */
export type RepoName = `${string}/${string}`;

/** A route below `/repos/{owner}/{repo}`, as GitHub documents it: `POST /repos/{owner}/{repo}/check-runs`. */
export type RepoRoute = Extract<keyof Endpoints, `${string} /repos/{owner}/{repo}${string}`>;

/** What a route takes; owner and repository are filled in. */
export type RouteParams<R extends RepoRoute> = Omit<
  Endpoints[R]["parameters"],
  "owner" | "repo" | "baseUrl" | "headers"
>;

/** What a route answers. It came from outside: what decides something is looked at before it is believed. */
export type RouteData<R extends RepoRoute> = Endpoints[R]["response"] extends { data: infer Data } ? Data : never;

export type Permission = "admin" | "write" | "read" | "none";

export interface RefsOptions {
  /**
   * How the date of each branch's commit is found out, so that old branches can be told. The API has no list of them: a
   * request a commit would be more than it answers in an hour. Default: dates are not asked for.
   */
  readonly dates?: DatesOption;
  /** The repository's id when it was last seen: another one under its name is refused. */
  readonly id?: number;
  /** The pull requests as they were last: they stand in for those that cannot be read. */
  readonly pulls?: ReadonlyMap<number, PullRef>;
}

export interface DatesOption {
  /** By commit: those are not asked for. */
  readonly known: ReadonlyMap<string, number>;
  /**
   * Reads those of many commits, milliseconds since 1970; undefined for one that has none. What is not told is asked for
   * the next time.
   */
  read(commits: readonly string[], signal: AbortSignal): Promise<Result<ReadonlyMap<string, number | undefined>>>;
}

/** What is left of an hour's requests of one installation. */
export interface Rate {
  /** The account that the app is installed on. */
  readonly account: string;
  readonly remaining: number;
  readonly limit: number;
  /** When `remaining` is `limit` again, milliseconds since 1970. */
  readonly resetMs: number;
}

/** An account that has the app. */
export interface Installation {
  readonly id: number;
  readonly account: string;
  readonly suspended: boolean;
  /** What the account has granted: `checks` → `write`. */
  readonly permissions: Readonly<Record<string, string>>;
  /** What GitHub tells the app of there. */
  readonly events: readonly string[];
}

/**
 * GitHub as its app sees it. One per process.
 *
 * Everything fails as a value: `FORGE_UNREACHABLE`, `FORGE_RATE_LIMITED` and `FORGE_FAULT` heal by themselves;
 * `FORGE_REFUSED`, `NO_INSTALLATION`, `REPO_MOVED` and `REPO_REPLACED` wait for a person; `CANCELLED`.
 */
export interface GitHub {
  /** True when there is an app; without one nothing below can be asked. */
  readonly authenticated: boolean;
  /**
   * All branches and open pull requests, however many. A request whose answer has not changed costs nothing. When just
   * the pull requests or the dates cannot be read, or not within a few seconds, they are `outdated`: what is deployed does
   * not wait for them.
   */
  refs(repo: RepoName, options: RefsOptions, signal: AbortSignal): Promise<Result<Refs>>;
  /** One request, with a token for just this repository and just what the route needs. */
  ask<R extends RepoRoute>(
    repo: RepoName,
    route: R,
    params: RouteParams<R>,
    signal: AbortSignal,
  ): Promise<Result<RouteData<R>>>;
  /** What somebody may do there. By number: a login may belong to somebody else tomorrow. */
  permission(repo: RepoName, user: number, signal: AbortSignal): Promise<Result<Permission>>;
  /**
   * Whether somebody is in a team of an organisation that has the app now. Needs its permission to read members: fails
   * with `FORGE_REFUSED` without it, with `NO_INSTALLATION` elsewhere.
   */
  inTeam(team: Team, user: number, signal: AbortSignal): Promise<Result<boolean>>;
  /** The password that git fetches with (user `x-access-token`); none where none is needed. */
  gitAuth(repo: RepoName, signal: AbortSignal): Promise<Result<Secret | undefined>>;
  /** Git was refused with it, not known or just forbidden to read there: the next one is another. */
  gitRefused(token: Secret, how: "unknown" | "forbidden"): void;
  /** The address that git fetches from: `https://github.com/owner/name.git`. */
  gitUrl(repo: RepoName): string;
  /** The address of the repository's page: `https://github.com/owner/name`. */
  webUrl(repo: RepoName): string;
  /** Installations on accounts of the allow-list. */
  installations(signal: AbortSignal): Promise<Result<readonly Installation[]>>;
  /** One line an installation, as its last answer said. */
  rates(): readonly Rate[];
  /** Whenever `rates` changed. */
  readonly changes: Observable<void>;
  /** The list of installations is read again when it is next needed. */
  refresh(): void;
}
