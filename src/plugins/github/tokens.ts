import type { Octokit } from "@octokit/core";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { Secret } from "../../engine/secret.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import type { RepoName } from "./api.ts";
import { failureOf, thrownBy } from "./failures.ts";
import type { TokenPermissions } from "./permissions.ts";
import { recordOf, textIn } from "./shape.ts";

/** A token that ends sooner than this is not handed out any more: a fetch takes its time. */
const LEFT_MS_MIN = 5 * 60_000;

interface Token {
  readonly secret: Secret;
  readonly expiresMs: number;
}

/** Tokens of installations, each for one repository and for the least that its use needs. In memory only. */
export class Tokens {
  readonly #app: Octokit;
  readonly #clock: Clock;
  readonly #known = new Map<string, Token>();
  readonly #asked = new Map<string, Promise<Result<Token>>>();

  constructor(app: Octokit, clock: Clock) {
    this.#app = app;
    this.#clock = clock;
  }

  /** @param id The repository's number, when it is known: its name may mean another one by now. */
  async get(
    installation: number,
    repo: RepoName,
    id: number | undefined,
    may: TokenPermissions,
  ): Promise<Result<Secret>> {
    const key = keyOf(installation, repo, may);
    const known = this.#known.get(key);
    if (known !== undefined && known.expiresMs - this.#clock.now() > LEFT_MS_MIN) return success(known.secret);
    const asked = this.#asked.get(key) ?? this.#renew(key, installation, repo, id, may);
    this.#asked.set(key, asked);
    try {
      const token = await asked;
      return token.ok ? success(token.value.secret) : token;
    } finally {
      if (this.#asked.get(key) === asked) this.#asked.delete(key);
    }
  }

  /** GitHub takes it no more, whatever was said of its life. */
  drop(installation: number, repo: RepoName, may: TokenPermissions): void {
    const key = keyOf(installation, repo, may);
    this.#known.get(key)?.secret.expire();
    this.#known.delete(key);
  }

  /** Without the number when that leads nowhere: what the name means now is then found out by whoever reads it. */
  async #renew(
    key: string,
    installation: number,
    repo: RepoName,
    id: number | undefined,
    may: TokenPermissions,
  ): Promise<Result<Token>> {
    this.#forgetExpired();
    const byId = id === undefined ? undefined : await this.#ask(installation, repo, { repositoryIds: [id] }, may);
    if (byId !== undefined && (byId.ok || byId.error.code !== "NO_INSTALLATION")) return this.#keep(key, byId);
    const name = repo.slice(repo.indexOf("/") + 1);
    return this.#keep(key, await this.#ask(installation, repo, { repositoryNames: [name] }, may));
  }

  #keep(key: string, token: Result<Token>): Result<Token> {
    if (token.ok) this.#known.set(key, token.value);
    return token;
  }

  async #ask(
    installationId: number,
    repo: RepoName,
    which: { readonly repositoryIds?: number[]; readonly repositoryNames?: string[] },
    may: TokenPermissions,
  ): Promise<Result<Token>> {
    try {
      const how = { type: "installation", installationId, ...which, permissions: { ...may }, refresh: true };
      const given = recordOf(await this.#app.auth(how));
      const [token, expiresAt] = [textIn(given, "token"), textIn(given, "expiresAt")];
      if (token === undefined || expiresAt === undefined)
        return failure(problem("FORGE_FAULT", `the answer to the request for a token for ${repo} holds none`));
      return success({ secret: new Secret(token), expiresMs: Date.parse(expiresAt) });
    } catch (error) {
      return failure(this.#refusal(error, repo));
    }
  }

  #refusal(error: unknown, repo: RepoName): Failure {
    const status = thrownBy(error)?.status;
    const failed = failureOf(error, `get a token for ${repo}`, this.#clock);
    if (status !== 404 && status !== 422) return failed;
    // 422 is also what a permission gets that the app was not given.
    if (/permission/i.test(failed.message)) return problem("FORGE_REFUSED", failed.message);
    return problem("NO_INSTALLATION", `the app does not see ${repo}: ${failed.message}`);
  }

  #forgetExpired(): void {
    for (const [key, { secret, expiresMs }] of this.#known) {
      if (expiresMs > this.#clock.now()) continue;
      this.#known.delete(key);
      secret.expire();
    }
  }
}

const keyOf = (installation: number, repo: RepoName, may: TokenPermissions): string =>
  `${installation} ${repo.toLowerCase()} ${JSON.stringify(may)}`;
