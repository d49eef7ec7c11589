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
  readonly installation: number;
  readonly secret: Secret;
  readonly expiresMs: number;
}

/** Tokens of installations, each for one repository and for the least that its use needs. In memory only. */
export class Tokens {
  readonly #app: Octokit;
  readonly #clock: Clock;
  readonly #known = new Map<string, Token>();
  /** Not handed out any more, but somebody may still hold one: logs are scrubbed of them as long as they may live. */
  #retired: readonly Token[] = [];
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
    return this.#shared(key, () => this.#renew(key, installation, repo, id, may));
  }

  /** For what belongs to the account as a whole; no code is read with it. */
  async ofAccount(installation: number, account: string, may: TokenPermissions): Promise<Result<Secret>> {
    const key = keyOf(installation, account, may);
    return this.#shared(key, async () => this.#keep(key, await this.#ask(installation, account, {}, may)));
  }

  async #shared(key: string, renew: () => Promise<Result<Token>>): Promise<Result<Secret>> {
    const known = this.#known.get(key);
    if (known !== undefined && known.expiresMs - this.#clock.now() > LEFT_MS_MIN) return success(known.secret);
    this.#forgetExpired();
    const asked = this.#asked.get(key) ?? renew();
    this.#asked.set(key, asked);
    try {
      const token = await asked;
      return token.ok ? success(token.value.secret) : token;
    } finally {
      if (this.#asked.get(key) === asked) this.#asked.delete(key);
    }
  }

  /** They were made for a repository that is not the one of this name any more. */
  drop(installation: number, repo: RepoName): void {
    const start = keyStart(installation, repo);
    for (const key of this.#known.keys()) if (key.startsWith(start)) this.#retire(key);
  }

  /** GitHub knows it, and does not let it do what it was asked: that says nothing of the others. */
  forbidden(token: Secret): void {
    for (const [key, { secret }] of this.#known) if (secret === token) this.#retire(key);
  }

  /**
   * GitHub takes it no more, whatever was said of its life. What ended it (the key was replaced, or the app suspended)
   * has ended the others of its installation as well; nobody waits until each was tried. One that was replaced already
   * says nothing of its successors.
   */
  refused(token: Secret): void {
    const dead = [...this.#known.values()].find(({ secret }) => secret === token);
    if (dead === undefined) return;
    for (const [key, { installation }] of this.#known) if (installation === dead.installation) this.#retire(key);
  }

  #retire(key: string): void {
    const token = this.#known.get(key);
    if (token === undefined) return;
    this.#known.delete(key);
    this.#retired = [...this.#retired, token];
  }

  /** Without the number when that leads nowhere: what the name means now is then found out by whoever reads it. */
  async #renew(
    key: string,
    installation: number,
    repo: RepoName,
    id: number | undefined,
    may: TokenPermissions,
  ): Promise<Result<Token>> {
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
    what: string,
    which: { readonly repositoryIds?: number[]; readonly repositoryNames?: string[] },
    may: TokenPermissions,
  ): Promise<Result<Token>> {
    try {
      const how = { type: "installation", installationId, ...which, permissions: { ...may }, refresh: true };
      const given = recordOf(await this.#app.auth(how));
      const [token, expiresAt] = [textIn(given, "token"), textIn(given, "expiresAt")];
      if (token === undefined || expiresAt === undefined)
        return failure(problem("FORGE_FAULT", `the answer to the request for a token for ${what} holds none`));
      return success({ installation: installationId, secret: new Secret(token), expiresMs: Date.parse(expiresAt) });
    } catch (error) {
      return failure(this.#refusal(error, what));
    }
  }

  #refusal(error: unknown, what: string): Failure {
    const status = thrownBy(error)?.status;
    const failed = failureOf(error, `get a token for ${what}`, this.#clock);
    if (status !== 404 && status !== 422) return failed;
    // 422 is also what a permission gets that the app was not given.
    if (/permission/i.test(failed.message)) return problem("FORGE_REFUSED", failed.message);
    return problem("NO_INSTALLATION", `the app does not see ${what}: ${failed.message}`);
  }

  #forgetExpired(): void {
    const isOver = ({ expiresMs }: Token): boolean => expiresMs <= this.#clock.now();
    for (const [key, token] of this.#known) if (isOver(token)) this.#retire(key);
    for (const { secret } of this.#retired.filter(isOver)) secret.expire();
    this.#retired = this.#retired.filter((token) => !isOver(token));
  }
}

const keyOf = (installation: number, what: string, may: TokenPermissions): string =>
  `${keyStart(installation, what)}${JSON.stringify(may)}`;

const keyStart = (installation: number, what: string): string => `${installation} ${what.toLowerCase()} `;
