import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import type { Failure } from "../../term/output.ts";

/** Answered in place of what is refused without asking GitHub further: a redirect to another host, say. */
export const MISDIRECTED = 421;

/** How long to wait when GitHub asks for less haste and does not say how long. */
const PAUSE_MS = 60_000;
const WORDS_MAX = 300;

/** What is known of an answer that is none: octokit throws it. */
interface Thrown {
  readonly status: number;
  readonly message: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Whether GitHub itself said it; else the way there did. */
  readonly answered: boolean;
}

/** Reads what octokit threw; nothing when it is no answer and no broken connection, but a fault of the program. */
export function thrownBy(error: unknown): Thrown | undefined {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return undefined;
  const response: unknown = "response" in error ? error.response : undefined;
  const headers = typeof response === "object" && response !== null && "headers" in response ? response.headers : {};
  const fields = typeof headers === "object" && headers !== null ? Object.entries(headers) : [];
  return {
    status: error.status,
    message: wordsOf(error.message),
    headers: new Map(fields.map(([name, value]) => [name.toLowerCase(), String(value)])),
    answered: response !== undefined,
  };
}

/** A failure for what GitHub did not do. `doing` begins the message: "read the branches of acme/shop". */
export function failureOf(error: unknown, doing: string, clock: Clock, signal?: AbortSignal): Failure {
  if (signal?.aborted) return problem("CANCELLED", `${doing}: ${String(signal.reason ?? "cancelled")}`);
  const thrown = thrownBy(error);
  if (thrown === undefined) return unknownFault(error, doing);
  const said = `${doing}: ${thrown.answered ? `HTTP ${thrown.status}, ` : ""}${thrown.message}`;
  const waitMs = limitedFor(thrown, clock.now());
  if (waitMs !== undefined) return { ...problem("FORGE_RATE_LIMITED", said), retryAtMs: clock.now() + waitMs };
  if (thrown.status >= 500 || thrown.status === 408) return problem("FORGE_UNREACHABLE", said);
  return problem(thrown.status === 401 ? "FORGE_TOKEN" : "FORGE_REFUSED", said);
}

/** A key that cannot sign is thrown as it is: the only thing of ours that is read before anything is sent. */
function unknownFault(error: unknown, doing: string): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const ofKey = /private ?key|pkcs|asn1|pem|decoder|DataError|key data|invalid key/i.test(message);
  if (ofKey) return problem("FORGE_KEY", `the app's private key cannot be used: ${wordsOf(message)}`);
  return problem("FORGE_FAULT", `${doing}: ${wordsOf(message)}`);
}

/**
 * How long GitHub wants to be left alone, in milliseconds; nothing when it is not that.
 *
 * @source https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
function limitedFor({ status, message, headers }: Thrown, nowMs: number): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const after = Number(headers.get("retry-after") ?? Number.NaN);
  if (Number.isFinite(after)) return Math.max(0, after) * 1000;
  if (headers.get("x-ratelimit-remaining") === "0") {
    const resetMs = Number(headers.get("x-ratelimit-reset") ?? Number.NaN) * 1000;
    return Number.isFinite(resetMs) ? Math.max(1_000, resetMs - nowMs + 1_000) : PAUSE_MS;
  }
  return status === 429 || /secondary rate|abuse/i.test(message) ? PAUSE_MS : undefined;
}

/** Words from outside, short and on one line. */
function wordsOf(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return line.length > WORDS_MAX ? `${line.slice(0, WORDS_MAX)}…` : line;
}
