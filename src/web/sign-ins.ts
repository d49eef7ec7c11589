import { createHash, createHmac, randomBytes } from "node:crypto";
import type { SignInProvider, SignInRequest } from "../engine/access/provider.ts";
import type { Clock } from "../engine/clock.ts";
import type { Result } from "../term/output.ts";
import { FailureLimit } from "./failure-limit.ts";
import { same } from "./same.ts";

const LIFE_MS = 10 * 60_000;
/**
 * Anybody can begin a sign-in and come back. When there are more, the first is forgotten, so that nobody is locked out:
 * it could come back once more from the browser that it was sealed for, with a code that the provider takes only once.
 */
const USED_MAX = 10_000;

/** What fails is counted: anybody can begin a sign-in and come back with a code of their own making. */
const FAILED_A_CALLER_MAX = 10;
const FAILED_IN_ALL_MAX = 100;
const ALL = "all";

/** A sign-in that was begun in this browser. */
export interface Begun {
  readonly state: string;
  readonly verifier: string;
  /** Path of this site to go on to. */
  readonly to: string;
  /** On the clock that nobody sets: one does not outlive the process. */
  readonly untilMs: number;
}

/**
 * Sign-ins on their way: from our page to the provider's and back.
 *
 * What one has to know when the browser comes back lies in that browser, sealed, so that a stranger who begins many
 * costs nothing here, and a callback in another browser is worth nothing.
 *
 * @source RFC 9700 (OAuth 2.0 security: one-time state bound to the browser, PKCE), RFC 7636 (S256)
 */
export class SignIns {
  /** Name of the cookie. */
  readonly cookie: string;
  readonly #clock: Clock;
  readonly #base: string;
  readonly #key = randomBytes(32);
  readonly #used = new Map<string, number>();
  readonly #failures: FailureLimit;
  readonly #allFailures: FailureLimit;

  constructor(clock: Clock, base: string, secure: boolean) {
    this.#failures = new FailureLimit(clock, FAILED_A_CALLER_MAX);
    this.#allFailures = new FailureLimit(clock, FAILED_IN_ALL_MAX);
    this.#clock = clock;
    this.#base = base;
    this.cookie = secure ? "__Host-millrace-sign-in" : "millrace-sign-in";
  }

  /** Where the provider sends people back to: from configuration, whatever a request says of its host. */
  returnTo(provider: SignInProvider): string {
    return `${this.#base}/login/${provider.id}/callback`;
  }

  begin(provider: SignInProvider, to: string): { readonly address: string; readonly sealed: string } {
    const state = randomBytes(24).toString("base64url");
    const verifier = randomBytes(32).toString("base64url");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const request: SignInRequest = { state, challenge, returnTo: this.returnTo(provider) };
    const content = JSON.stringify([state, verifier, to, this.#clock.elapsed() + LIFE_MS]);
    const text = Buffer.from(content).toString("base64url");
    return { address: provider.address(request), sealed: `${text}.${this.#seal(text)}` };
  }

  /** What was begun in this browser, once, if the state is that one's and in time. */
  finish(sealed: string | undefined, state: string): Begun | undefined {
    const [text = "", seal = ""] = (sealed ?? "").split(".");
    if (text === "" || !same(seal, this.#seal(text))) return undefined;
    const begun = begunOf(JSON.parse(Buffer.from(text, "base64url").toString()));
    if (begun === undefined || !same(begun.state, state) || begun.untilMs <= this.#clock.elapsed()) return undefined;
    return this.#useOnce(begun) ? begun : undefined;
  }

  /**
   * Asks the provider, which costs a request there for each code, unless too many of them were no good in this minute:
   * then undefined. A question on its way counts as one that fails.
   */
  async exchange<T>(caller: string, ask: () => Promise<Result<T>>): Promise<Result<T> | undefined> {
    if (this.#failures.waitMs(caller) > 0 || this.#allFailures.waitMs(ALL) > 0) return undefined;
    this.#failures.failed(caller);
    this.#allFailures.failed(ALL);
    const answer = await ask();
    if (answer.ok) {
      this.#failures.forgive(caller);
      this.#allFailures.forgive(ALL);
    }
    return answer;
  }

  #useOnce({ state, untilMs }: Begun): boolean {
    const now = this.#clock.elapsed();
    if (this.#used.has(state)) return false;
    for (const [used, until] of this.#used) {
      if (until > now && this.#used.size < USED_MAX) break;
      this.#used.delete(used);
    }
    this.#used.set(state, untilMs);
    return true;
  }

  #seal(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }
}

/** We sealed it ourselves, so only the shape of an earlier program could be another one. */
function begunOf(content: unknown): Begun | undefined {
  if (!Array.isArray(content)) return undefined;
  const fields: readonly unknown[] = content;
  const [state, verifier, to, untilMs] = fields;
  if (typeof state !== "string" || typeof verifier !== "string" || typeof to !== "string") return undefined;
  return typeof untilMs === "number" ? { state, verifier, to, untilMs } : undefined;
}
