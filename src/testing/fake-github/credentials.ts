import {
  createHash,
  createVerify,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import type { Account, Installation, Permissions, Repository, World } from "./world.ts";

/** Who asks. */
export type Caller =
  | { readonly who: "nobody" }
  | { readonly who: "app" }
  | { readonly who: "client"; readonly id: string }
  | { readonly who: "user"; readonly user: Account; readonly token: string }
  | {
      readonly who: "installation";
      readonly installation: Installation;
      readonly permissions: Permissions;
      /** Ids; undefined: all of the installation's. */
      readonly repositories: ReadonlySet<number> | undefined;
      readonly token: string;
    };

/** A refusal, as GitHub words it. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

interface InstallationToken {
  readonly installation: Installation;
  readonly permissions: Permissions;
  readonly repositories: ReadonlySet<number> | undefined;
  readonly expiresMs: number;
}

const TOKEN_MS = 3_600_000;
const JWT_MS_MAX = 600_000;
/** GitHub allows for clocks that differ a little. */
const JWT_SLACK_MS = 60_000;

/** Made once: it takes a good part of a second. */
let keys: KeyPairKeyObjectResult | undefined;

/** The app's key and everything that was given out: tokens of installations, tokens of people. */
export class Credentials {
  readonly appId: number;
  /** PKCS#1, as GitHub gives it to download. */
  readonly privateKey: string;
  readonly clientId = "Iv1.0123456789abcdef";
  readonly clientSecret = randomBytes(20).toString("hex");
  readonly webhookSecret = randomBytes(20).toString("hex");
  readonly #publicKey: KeyObject;
  readonly #world: World;
  readonly #tokens = new Map<string, InstallationToken>();
  readonly #users = new Map<string, Account>();

  constructor(world: World) {
    keys ??= generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { publicKey, privateKey } = keys;
    this.appId = world.nextId();
    this.privateKey = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
    this.#publicKey = publicKey;
    this.#world = world;
  }

  giveToken(token: Omit<InstallationToken, "expiresMs">): { readonly token: string; readonly expiresMs: number } {
    const text = `ghs_${randomBytes(18).toString("hex")}`;
    const expiresMs = this.#world.clock.now() + TOKEN_MS;
    this.#tokens.set(text, { ...token, expiresMs });
    return { token: text, expiresMs };
  }

  giveUserToken(user: Account): string {
    const text = `ghu_${randomBytes(18).toString("hex")}`;
    this.#users.set(text, user);
    return text;
  }

  userOf(token: string): Account | undefined {
    return this.#users.get(token);
  }

  revoke(token: string): void {
    this.#tokens.delete(token);
    this.#users.delete(token);
  }

  /** All installation tokens that were given out so far end now. */
  expireTokens(): void {
    this.#tokens.clear();
  }

  /** Who stands behind an `Authorization` header. */
  caller(header: string | undefined): Caller | Refusal {
    if (header === undefined) return { who: "nobody" };
    const [scheme = "", value = ""] = header.split(" ");
    if (/^basic$/i.test(scheme)) return this.#basic(value);
    if (!/^(bearer|token)$/i.test(scheme)) return badCredentials;
    return value.split(".").length === 3 ? this.#jwt(value) : this.#token(value);
  }

  /** `user:token`, as git sends it, or an OAuth client's id and secret. */
  #basic(value: string): Caller | Refusal {
    const text = Buffer.from(value, "base64").toString("utf8");
    const at = text.indexOf(":");
    const [user, password] = [text.slice(0, at), text.slice(at + 1)];
    if (user !== this.clientId) return this.#token(password);
    return this.isClientSecret(password) ? { who: "client", id: user } : badCredentials;
  }

  isClientSecret(secret: string): boolean {
    const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
    return timingSafeEqual(hash(secret), hash(this.clientSecret));
  }

  #token(value: string): Caller | Refusal {
    const user = this.#users.get(value);
    if (user !== undefined) return { who: "user", user, token: value };
    const token = this.#tokens.get(value);
    if (token === undefined || token.expiresMs <= this.#world.clock.now()) return badCredentials;
    const { installation, permissions, repositories } = token;
    if (!this.#world.installations.has(installation.id)) return badCredentials;
    if (installation.suspended) return { status: 403, message: "This installation has been suspended" };
    return { who: "installation", installation, permissions, repositories, token: value };
  }

  #jwt(value: string): Caller | Refusal {
    const [head = "", body = "", signature = ""] = value.split(".");
    const isSigned = createVerify("RSA-SHA256")
      .update(`${head}.${body}`)
      .verify(this.#publicKey, Buffer.from(signature, "base64url"));
    if (!isSigned) return { status: 401, message: "A JSON web token could not be decoded" };
    const claims = claimsOf(body);
    const nowMs = this.#world.clock.now();
    if (Number(claims.iss) !== this.appId) return { status: 404, message: "Integration not found" };
    if (claims.exp * 1000 <= nowMs)
      return {
        status: 401,
        message: "'Expiration time' claim ('exp') must be a numeric value representing the future",
      };
    if (claims.exp * 1000 > nowMs + JWT_MS_MAX + JWT_SLACK_MS)
      return { status: 401, message: "'Expiration time' claim ('exp') is too far in the future" };
    if (claims.iat * 1000 > nowMs + JWT_SLACK_MS)
      return { status: 401, message: "'Issued at' claim ('iat') must be an Integer representing the past" };
    return { who: "app" };
  }
}

const badCredentials: Refusal = { status: 401, message: "Bad credentials" };

function claimsOf(body: string): { readonly iss: unknown; readonly iat: number; readonly exp: number } {
  const claims: unknown = JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
  const of = (name: string): unknown =>
    typeof claims === "object" && claims !== null && name in claims ? Reflect.get(claims, name) : undefined;
  return { iss: of("iss"), iat: Number(of("iat")), exp: Number(of("exp")) };
}

/** Whether the caller may see that the repository exists. */
export function sees(world: World, caller: Caller, repository: Repository): boolean {
  if (!repository.private) return true;
  if (caller.who === "user") return world.roleOf(repository, caller.user) !== undefined;
  return caller.who === "installation" && reaches(world, caller, repository);
}

/** Whether an installation's token is for the repository. */
export function reaches(world: World, caller: Caller, repository: Repository): boolean {
  if (caller.who !== "installation") return false;
  if (world.installationFor(repository)?.id !== caller.installation.id) return false;
  return caller.repositories === undefined || caller.repositories.has(repository.id);
}

const RANK = ["read", "write", "admin"];

/** Whether what is given suffices for what is needed: write includes read. */
export function suffices(given: Permissions, needed: Permissions): boolean {
  return Object.entries(needed).every(
    ([name, level]) => RANK.indexOf(given[name] ?? (name === "metadata" ? "read" : "")) >= RANK.indexOf(level),
  );
}
