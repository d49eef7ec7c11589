import { randomBytes } from "node:crypto";
import { failure, type Result, success } from "../../term/output.ts";
import type { Clock } from "../clock.ts";
import { problem } from "../errors.ts";
import type { ApiTokenRow } from "../store/store.ts";
import { type Identity, isRole, type Role } from "./identity.ts";
import { hashOf } from "./sessions.ts";

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
/** Found by scanners of secrets, and by people in their own files. */
const PREFIX = "millrace_";

/** Whether a text has the shape of such a token, whoever's it is. */
export const isApiToken = (text: string): boolean => text.startsWith(PREFIX);

const TOKENS_MAX = 1_000;

/** A token for programs, as people see it: never the token itself. */
export interface ApiToken {
  readonly name: string;
  readonly role: Role;
  /** Names of the services that a builder's token is for; undefined: all. */
  readonly services?: readonly string[];
  readonly createdMs: number;
  readonly createdBy: string;
  readonly expiresMs?: number;
  readonly revokedMs?: number;
}

export interface NewToken extends Pick<ApiToken, "name" | "role" | "services" | "createdBy"> {
  readonly lifeMs?: number;
}

export interface TokenKeeper {
  load(): readonly ApiTokenRow[];
  /** Resolves once it is durable; never rejects. */
  put(row: ApiTokenRow): Promise<void>;
}

interface Kept extends ApiToken {
  readonly hash: string;
}

/** Tokens of programs. Only their hashes are kept: a token is shown once, when it is made. */
export class ApiTokens {
  readonly #clock: Clock;
  readonly #keeper: TokenKeeper | undefined;
  readonly #byName = new Map<string, Kept>();
  readonly #byHash = new Map<string, Kept>();

  constructor(clock: Clock, keeper?: TokenKeeper) {
    this.#clock = clock;
    this.#keeper = keeper;
    for (const row of keeper?.load() ?? []) {
      const kept = keptOf(row);
      if (kept !== undefined) this.#remember(kept);
    }
  }

  /** Resolves with the token once it is durable. Fails with `BAD_REQUEST` or `NOT_POSSIBLE`. */
  async create(wish: NewToken): Promise<Result<{ readonly token: string; readonly about: ApiToken }>> {
    const wrong = this.#wrong(wish);
    if (wrong !== undefined) return failure(wrong);
    const { name, role, services, createdBy, lifeMs } = wish;
    const createdMs = this.#clock.now();
    const token = `${PREFIX}${randomBytes(24).toString("base64url")}`;
    const kept: Kept = {
      name,
      role,
      createdMs,
      createdBy,
      hash: hashOf(token),
      ...(services === undefined ? {} : { services }),
      ...(lifeMs === undefined ? {} : { expiresMs: createdMs + lifeMs }),
    };
    this.#remember(kept);
    await this.#keeper?.put(rowOf(kept));
    return success({ token, about: aboutOf(kept) });
  }

  #wrong({ name, role, services }: NewToken) {
    if (!NAME.test(name)) {
      const rule = "lower-case letters, digits, dots, dashes and _ (at most 63)";
      return problem("BAD_REQUEST", `a token's name is ${rule}, and "${name.slice(0, 80)}" is not`);
    }
    if (services !== undefined && role !== "builder")
      return problem("BAD_REQUEST", `only a builder's token can be limited to services, not a token of role ${role}`);
    const known = this.#byName.get(name);
    if (known !== undefined && this.#lives(known))
      return problem("NOT_POSSIBLE", `there is a token "${name}" already`, {
        hint: "Revoke it first, or name this one otherwise.",
      });
    if (this.list().filter((token) => this.#lives(token)).length >= TOKENS_MAX)
      return problem("NOT_POSSIBLE", `there are ${TOKENS_MAX} tokens`, { hint: "Revoke those that nobody uses." });
    return undefined;
  }

  /** From now on the token is worth nothing; resolves once that is durable. Fails with `NOT_FOUND`. */
  async revoke(name: string): Promise<Result<void>> {
    const kept = this.#byName.get(name);
    if (kept === undefined || kept.revokedMs !== undefined)
      return failure(
        problem("NOT_FOUND", `there is no token "${name.slice(0, 80)}"`, { hint: "See: millrace token list." }),
      );
    const revoked: Kept = { ...kept, revokedMs: this.#clock.now() };
    this.#remember(revoked);
    await this.#keeper?.put(rowOf(revoked));
    return success(undefined);
  }

  /** By name, also those that are over. */
  list(): readonly ApiToken[] {
    return [...this.#byName.values()].map(aboutOf).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Whose token it is; undefined when it is nobody's, or over. */
  identityOf(token: string): Identity | undefined {
    const kept = isApiToken(token) ? this.#byHash.get(hashOf(token)) : undefined;
    if (kept === undefined || !this.#lives(kept)) return undefined;
    return { kind: "token", name: kept.name, createdMs: kept.createdMs };
  }

  /** The living token of an identity: one of the same name that was made later is another one. */
  find(identity: Extract<Identity, { kind: "token" }>): ApiToken | undefined {
    const kept = this.#byName.get(identity.name);
    return kept !== undefined && kept.createdMs === identity.createdMs && this.#lives(kept) ? aboutOf(kept) : undefined;
  }

  #lives({ expiresMs, revokedMs }: ApiToken): boolean {
    return revokedMs === undefined && (expiresMs === undefined || expiresMs > this.#clock.now());
  }

  #remember(kept: Kept): void {
    const before = this.#byName.get(kept.name);
    if (before !== undefined) this.#byHash.delete(before.hash);
    this.#byName.set(kept.name, kept);
    this.#byHash.set(kept.hash, kept);
  }
}

const aboutOf = ({ hash: _hash, ...about }: Kept): ApiToken => about;

const rowOf = (kept: Kept): ApiTokenRow => ({
  name: kept.name,
  hash: kept.hash,
  role: kept.role,
  services: kept.services === undefined ? null : [...kept.services],
  createdMs: kept.createdMs,
  createdBy: kept.createdBy,
  expiresMs: kept.expiresMs ?? null,
  revokedMs: kept.revokedMs ?? null,
});

/** A row of an odd shape is nobody's token. */
function keptOf({
  name,
  hash,
  role,
  services,
  createdMs,
  createdBy,
  expiresMs,
  revokedMs,
}: ApiTokenRow): Kept | undefined {
  if (!isRole(role) || (services !== null && !isTexts(services))) return undefined;
  return {
    name,
    hash,
    role,
    createdMs,
    createdBy,
    ...(services === null ? {} : { services }),
    ...(expiresMs === null ? {} : { expiresMs }),
    ...(revokedMs === null ? {} : { revokedMs }),
  };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
