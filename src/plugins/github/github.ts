import { type Observable, Subject } from "rxjs";
import type { Team } from "../../engine/access/provider.ts";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import type { Refs } from "../../engine/refs.ts";
import type { Secret } from "../../engine/secret.ts";
import { failure, type Result, success } from "../../term/output.ts";
import type {
  GitHub,
  Installation,
  Permission,
  Rate,
  RefsOptions,
  RepoName,
  RepoRoute,
  RouteData,
  RouteParams,
} from "./api.ts";
import type { Fetch } from "./exchange.ts";
import { Installations } from "./installations.ts";
import { type Answered, type Asked, Line } from "./line.ts";
import { appClient, type OctokitOptions } from "./octokit.ts";
import type { Ask } from "./pages.ts";
import {
  permissionsFor,
  type Rank,
  rankOf,
  readContents,
  readMembers,
  readMetadata,
  readPulls,
  type TokenPermissions,
} from "./permissions.ts";
import { RefsReader } from "./read-refs.ts";
import { numberIn, recordOf, textIn } from "./shape.ts";
import { Tokens } from "./tokens.ts";

export interface GitHubOptions {
  readonly clock: Clock;
  readonly app: { readonly id: number; readonly key: Secret };
  /** Base of the API; default that of github.com. Enterprise: `https://ghe.example/api/v3`. */
  readonly api?: URL;
  /** Accounts that are served, whatever their case; default all that have the app. */
  readonly allowlist?: readonly string[];
  readonly fetch?: Fetch;
  /** False only in tests: a second between writes is what GitHub asks for. Default true. */
  readonly polite?: boolean;
}

export const PUBLIC_API = new URL("https://api.github.com");
export const PUBLIC_WEB = "https://github.com";

/** Where git and people find what the API at `api` speaks of. */
export function webOf(api: URL): string {
  if (api.host === PUBLIC_API.host) return PUBLIC_WEB;
  // Enterprise with data residency: the API of acme.ghe.com is at api.acme.ghe.com.
  return /^api\.[^.]+\.ghe\.com$/.test(api.host) ? `${api.protocol}//${api.host.slice("api.".length)}` : api.origin;
}

interface Request extends Omit<Asked, "token"> {
  readonly account: string;
  /** Which one of the account; undefined: it is about the account as a whole, its people. */
  readonly repo?: RepoName;
  readonly may: TokenPermissions;
  /** What is asked for is there whenever the repository is: 404 means that the token is for another one. */
  readonly isPartOfIt?: boolean;
}

/** GitHub by its app. Connects to nothing until something is asked. */
export function createGitHub(options: GitHubOptions): GitHub {
  return new AppGitHub(options);
}

class AppGitHub implements GitHub {
  readonly authenticated = true;
  readonly changes: Observable<void>;
  readonly #changes = new Subject<void>();
  readonly #octokit: OctokitOptions;
  readonly #installations: Installations;
  readonly #tokens: Tokens;
  readonly #lines = new Map<number, Line>();
  readonly #readers = new Map<string, RefsReader>();

  constructor({ clock, app, api = PUBLIC_API, allowlist, fetch = globalThis.fetch, polite = true }: GitHubOptions) {
    this.changes = this.#changes.asObservable();
    this.#octokit = { clock, api, fetch, polite };
    const client = appClient(this.#octokit, app);
    this.#installations = new Installations(client, api, clock, allowlist);
    this.#tokens = new Tokens(client, clock);
  }

  async refs(repo: RepoName, options: RefsOptions, signal: AbortSignal): Promise<Result<Refs>> {
    const reader = this.#reader(repo);
    const { id } = options;
    const about = { account: ownerOf(repo), repo, params: {}, signal, orMissing: true, isPartOfIt: true };
    const branches = { may: readContents, doing: `read the branches of ${repo}` };
    const pulls = { may: readPulls, doing: `read the pull requests of ${repo}` };
    const ask = (rank: Rank): Ask => {
      const purpose = { ...about, ...(rank === "first" ? branches : pulls), rank };
      return (what, etag) =>
        this.#send({ ...purpose, route: `GET ${what}`, ...(etag === undefined ? {} : { etag }) }, id);
    };
    return reader.read(ask, options, this.#octokit.clock, signal);
  }

  async ask<R extends RepoRoute>(
    repo: RepoName,
    route: R,
    params: RouteParams<R>,
    signal: AbortSignal,
  ): Promise<Result<RouteData<R>>> {
    const answer = await this.#send({
      account: ownerOf(repo),
      repo,
      route,
      params: { ...params, ...partsOf(repo) },
      may: permissionsFor(route),
      doing: route.replace("{owner}/{repo}", repo),
      rank: rankOf(route),
      signal,
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- GitHub's own description says what it answers
    return answer.ok ? success(answer.value.data as RouteData<R>) : answer;
  }

  async permission(repo: RepoName, user: number, signal: AbortSignal): Promise<Result<Permission>> {
    const doing = `look up what user ${user} may do in ${repo}`;
    const about = { account: ownerOf(repo), repo, may: readMetadata, rank: "second", orMissing: true } as const;
    const send: Send = (what) => this.#send({ ...about, ...what, signal, doing });
    const login = await loginOf(user, send);
    if (!login.ok) return login;
    if (login.value === undefined) return success("none");
    const route = "GET /repos/{owner}/{repo}/collaborators/{username}/permission";
    const asked = await send({ route, params: { ...partsOf(repo), username: login.value } });
    if (!asked.ok) return asked;
    const fields = recordOf(asked.value.data);
    // The login may have gone to somebody else between the two questions.
    if (numberIn(recordOf(fields["user"]), "id") !== user) return success("none");
    const permission = textIn(fields, "permission");
    return success(permissions.find((one) => one === permission) ?? "none");
  }

  async inTeam({ org, team }: Team, user: number, signal: AbortSignal): Promise<Result<boolean>> {
    const doing = `look up who is in ${org}/${team}`;
    const about = { account: org, may: readMembers, rank: "second", orMissing: true } as const;
    const send: Send = (what) => this.#send({ ...about, ...what, signal, doing });
    const login = await loginOf(user, send);
    if (!login.ok) return login;
    if (login.value === undefined) return success(false);
    const route = "GET /orgs/{org}/teams/{team_slug}/memberships/{username}";
    const asked = await send({ route, params: { org, team_slug: team.toLowerCase(), username: login.value } });
    // Somebody who is invited is not in it yet; 404 is for those who are not.
    return asked.ok ? success(textIn(recordOf(asked.value.data), "state") === "active") : asked;
  }

  async gitAuth(repo: RepoName): Promise<Result<Secret | undefined>> {
    const line = await this.#lineOf(ownerOf(repo));
    return line.ok ? this.#tokens.get(line.value.installation, repo, this.#reader(repo).id, readContents) : line;
  }

  gitRefused(token: Secret, how: "unknown" | "forbidden"): void {
    if (how === "unknown") this.#tokens.refused(token);
    else this.#tokens.forbidden(token);
  }

  gitUrl(repo: RepoName): string {
    return `${this.webUrl(repo)}.git`;
  }

  webUrl(repo: RepoName): string {
    return `${webOf(this.#octokit.api)}/${repo}`;
  }

  installations(): Promise<Result<readonly Installation[]>> {
    return this.#installations.list();
  }

  rates(): readonly Rate[] {
    return [...this.#lines.values()].flatMap(({ rate }) => (rate === undefined ? [] : [rate]));
  }

  refresh(): void {
    this.#installations.refresh();
  }

  #reader(repo: RepoName): RefsReader {
    const key = repo.toLowerCase();
    const reader = this.#readers.get(key) ?? new RefsReader(this.#octokit.api, repo);
    this.#readers.set(key, reader);
    return reader;
  }

  async #lineOf(owner: string): Promise<Result<{ readonly installation: number; readonly line: Line }>> {
    const found = await this.#installations.find(owner);
    if (!found.ok) return found;
    const { id, account } = found.value;
    const line = this.#lines.get(id) ?? new Line(this.#octokit, id, account, () => this.#changes.next());
    this.#lines.set(id, line);
    return success({ installation: id, line });
  }

  /**
   * With a token that GitHub does not take any more the request is repeated once, with a new one.
   *
   * @param id The repository's number. Default: as it was last read.
   */
  async #send(request: Request, id?: number): Promise<Result<Answered>> {
    const { account, repo, may, isPartOfIt = false, ...asked } = request;
    for (let attempt = 0; ; attempt += 1) {
      const found = await this.#lineOf(account);
      if (!found.ok) return found;
      const { installation, line } = found.value;
      const token = await (repo === undefined
        ? this.#tokens.ofAccount(installation, account, may)
        : this.#tokens.get(installation, repo, id ?? this.#reader(repo).id, may));
      // The app may have been installed anew: then the installation that was known is gone.
      if (!token.ok && token.error.code === "NO_INSTALLATION") this.#installations.refresh();
      if (!token.ok) return token;
      const answer = await line.send({ ...asked, token: token.value });
      // A token is for one repository: under its name there may be another one by now.
      const isElsewhere = isPartOfIt && answer.ok && answer.value.status === 404;
      const isRefused = !answer.ok && answer.error.code === "FORGE_TOKEN";
      if (isRefused) this.#tokens.refused(token.value);
      if (attempt > 0 || !(isElsewhere || isRefused)) return answer;
      if (isElsewhere && repo !== undefined) this.#tokens.drop(installation, repo);
    }
  }
}

type Send = (what: Pick<Asked, "route" | "params">) => Promise<Result<Answered>>;

/** What an account is called at the moment; undefined: it is gone. */
async function loginOf(user: number, send: Send): Promise<Result<string | undefined>> {
  const found = await send({ route: "GET /user/{account_id}", params: { account_id: user } });
  if (!found.ok) return found;
  if (found.value.status === 404) return success(undefined);
  const login = textIn(recordOf(found.value.data), "login");
  return login === undefined ? failure(problem("FORGE_FAULT", `user ${user} has no login`)) : success(login);
}

const permissions: readonly Permission[] = ["admin", "write", "read", "none"];

const ownerOf = (repo: RepoName): string => partsOf(repo).owner;

function partsOf(repo: RepoName): { readonly owner: string; readonly repo: string } {
  const at = repo.indexOf("/");
  return { owner: repo.slice(0, at), repo: repo.slice(at + 1) };
}
