import { limit } from "../../engine/abort.ts";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";

/** A manifest is 4 MiB at most, and so is everything else that is read here. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const ANSWER_LIMIT_MS = 30_000;
const REDIRECTS_MAX = 3;

export interface Request {
  readonly method: "GET" | "HEAD" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/**
 * One exchange, thirty seconds and 4 MiB at most. Redirects are followed to the same origin only, so that what is in
 * the headers stays where it belongs.
 *
 * Fails with `REGISTRY_UNREACHABLE`, `REGISTRY_REFUSED` (a redirect elsewhere), `REGISTRY_FAULT` (too long an answer)
 * or `CANCELLED`. An answer of whatever status is a success.
 */
export async function exchange(clock: Clock, url: URL, request: Request, signal: AbortSignal): Promise<Result<Answer>> {
  const limited = limit(clock, ANSWER_LIMIT_MS, signal);
  try {
    return await follow(url, request, limited.signal);
  } catch (error) {
    const asked = `${request.method} ${url.origin}${url.pathname}`;
    if (signal.aborted) return failure(problem("CANCELLED", `${asked}: ${reasonOf(signal)}`));
    const why = limited.signal.aborted ? `no answer within ${ANSWER_LIMIT_MS / 1000} s` : causeOf(error);
    return failure(problem("REGISTRY_UNREACHABLE", `${asked}: ${why}`));
  } finally {
    limited.end();
  }
}

async function follow(start: URL, request: Request, signal: AbortSignal): Promise<Result<Answer>> {
  let url = start;
  for (let hops = 0; ; hops++) {
    const response = await fetch(url, { ...request, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) return await read(url, response);
    await response.body?.cancel();
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (next?.origin !== start.origin || hops >= REDIRECTS_MAX || request.method === "PUT") {
      const to = next?.origin ?? "nowhere";
      return failure(problem("REGISTRY_REFUSED", `${url.href}: redirects to ${to}, which is not followed`));
    }
    url = next;
  }
}

async function read(url: URL, response: Response): Promise<Result<Answer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    if (next === undefined || next.done) break;
    const chunk: unknown = next.value;
    if (!(chunk instanceof Uint8Array)) break;
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) {
      await reader?.cancel();
      return failure(problem("REGISTRY_FAULT", `${url.href}: the answer is longer than ${ANSWER_BYTES_MAX} bytes`));
    }
    chunks.push(chunk);
  }
  return success({ status: response.status, headers: response.headers, bytes: Buffer.concat(chunks) });
}

/** What an answer that is not the hoped-for one means. */
export function refusal(clock: Clock, doing: string, answer: Answer): Failure {
  const said = `${doing}: HTTP ${answer.status}${detailOf(answer)}`;
  if (answer.status === 401 || answer.status === 403) return problem("REGISTRY_REFUSED", said);
  if (answer.status < 500 && answer.status !== 429) return problem("REGISTRY_FAULT", said);
  const retryMs = retryAfterMs(answer.headers, clock.now());
  const error = problem("REGISTRY_UNREACHABLE", said);
  return retryMs === undefined ? error : { ...error, retryAtMs: clock.now() + retryMs };
}

/** @source https://www.rfc-editor.org/rfc/rfc9110#field.retry-after: seconds, or a date. */
function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** The registry's own words, if it has any: `{"errors": [{"code", "message"}]}`. */
function detailOf(answer: Answer): string {
  const text = Buffer.from(answer.bytes.subarray(0, 2_000)).toString("utf8");
  const messages = [...text.matchAll(/"message"\s*:\s*"([^"\\]{1,200})"/g)].map((match) => match[1]);
  return messages.length === 0 ? "" : ` (${messages.slice(0, 3).join("; ")})`;
}

const reasonOf = (signal: AbortSignal): string => (typeof signal.reason === "string" ? signal.reason : "cancelled");

/** The reason beneath: fetch itself only says "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? causeOf(error.cause) : error.message || error.name;
}
