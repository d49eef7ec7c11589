import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../engine/clock.ts";
import type { Credentials } from "./credentials.ts";
import { type Ask, header, jsonReply, type Reply } from "./exchange.ts";
import type { Account } from "./world.ts";

const CODE_MS = 600_000;

interface Code {
  readonly user: Account;
  readonly redirect: string;
  readonly challenge: string | undefined;
  readonly expiresMs: number;
}

/** Signing in at the site: a browser comes, somebody agrees or refuses at once, and the code is good once. */
export class OAuth {
  /** Who sits at the browser; undefined: they refuse. */
  person: Account | undefined;
  /** Where a sign-in may lead back to: begins with one of these. Empty: anywhere. */
  callbacks: readonly string[] = [];
  readonly #clock: Clock;
  readonly #credentials: Credentials;
  readonly #codes = new Map<string, Code>();

  constructor(clock: Clock, credentials: Credentials) {
    this.#clock = clock;
    this.#credentials = credentials;
  }

  answer(ask: Ask, violated: (what: string) => void): Reply | undefined {
    if (ask.method === "GET" && ask.path === "/login/oauth/authorize") return this.#authorize(ask.query, violated);
    if (ask.method === "POST" && ask.path === "/login/oauth/access_token") return this.#token(ask);
    return undefined;
  }

  #authorize(query: URLSearchParams, violated: (what: string) => void): Reply {
    const redirect = query.get("redirect_uri") ?? this.callbacks[0] ?? "";
    if (query.get("client_id") !== this.#credentials.clientId) return { status: 404, headers: {}, body: "Not Found" };
    if (this.callbacks.length > 0 && !this.callbacks.some((callback) => redirect.startsWith(callback))) {
      violated(`redirect_uri ${redirect} is not one of the app's`);
      return { status: 400, headers: {}, body: "The redirect_uri is not associated with this application." };
    }
    const back = new URL(redirect);
    const state = query.get("state");
    if (state === null) violated("a sign-in without state");
    else back.searchParams.set("state", state);
    const method = query.get("code_challenge_method");
    if (query.has("code_challenge") && method !== "S256") violated(`code_challenge_method ${method}`);
    if (this.person === undefined) {
      back.searchParams.set("error", "access_denied");
      back.searchParams.set("error_description", "The user has denied your application access.");
    } else back.searchParams.set("code", this.#code(this.person, redirect, query.get("code_challenge") ?? undefined));
    return { status: 302, headers: { location: back.toString() }, body: "" };
  }

  #code(user: Account, redirect: string, challenge: string | undefined): string {
    const code = randomBytes(10).toString("hex");
    this.#codes.set(code, { user, redirect, challenge, expiresMs: this.#clock.now() + CODE_MS });
    return code;
  }

  #token(ask: Ask): Reply {
    const asked = fieldsOf(ask);
    const answer = this.#exchange(asked);
    // as a form, unless JSON is asked for; refusals are 200 too
    if (header(ask.headers, "accept")?.includes("json") === true) return jsonReply(200, answer);
    const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    return { status: 200, headers, body: new URLSearchParams(answer).toString() };
  }

  #exchange(asked: URLSearchParams): Record<string, string> {
    const credentials = this.#credentials;
    if (
      asked.get("client_id") !== credentials.clientId ||
      !credentials.isClientSecret(asked.get("client_secret") ?? "")
    )
      return refusal("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.");
    const text = asked.get("code") ?? "";
    const code = this.#codes.get(text);
    this.#codes.delete(text);
    if (code === undefined || code.expiresMs <= this.#clock.now())
      return refusal("bad_verification_code", "The code passed is incorrect or expired.");
    if ((asked.get("redirect_uri") ?? code.redirect) !== code.redirect)
      return refusal("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL.");
    if (code.challenge !== undefined && challengeOf(asked.get("code_verifier") ?? "") !== code.challenge)
      return refusal("bad_verification_code", "The code_verifier does not match the code_challenge.");
    return { access_token: credentials.giveUserToken(code.user), token_type: "bearer", scope: "" };
  }
}

const challengeOf = (verifier: string): string => createHash("sha256").update(verifier).digest("base64url");

const refusal = (error: string, error_description: string): Record<string, string> => ({
  error,
  error_description,
  error_uri: "https://docs.github.com",
});

/** A form, JSON, or what stands in the address: GitHub takes all three. */
function fieldsOf(ask: Ask): URLSearchParams {
  const fields = new URLSearchParams(ask.query);
  const text = ask.raw.toString("utf8");
  if (header(ask.headers, "content-type")?.includes("json") === true) {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null)
      for (const [name, value] of Object.entries(json)) fields.set(name, String(value));
  } else for (const [name, value] of new URLSearchParams(text)) fields.set(name, value);
  return fields;
}
