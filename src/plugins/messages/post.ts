import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { scrub } from "../../engine/secret.ts";
import { failure, type Result, success } from "../../term/output.ts";

export interface Posting {
  /** For messages of ours: the address itself may be a secret. */
  readonly to: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ANSWER_MAX = 300;
/** How long to wait when the other side asks for less haste and does not say how long. */
const PAUSE_MS = 60_000;

/**
 * One POST. No redirect is followed: what is sent is meant for this address.
 *
 * Fails with `NOT_SENT` (out of reach, 408, 429, 5xx) or `SEND_REFUSED`.
 */
export async function post(clock: Clock, posting: Posting, signal: AbortSignal): Promise<Result<void>> {
  const { to, url, headers, body } = posting;
  try {
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    if (response.ok) {
      response.body?.cancel().catch(() => {}); // it has arrived, whatever becomes of the rest of the answer
      return success(undefined);
    }
    const answer = await begin(response);
    const said = `${to} answered ${response.status}${answer === "" ? "" : `: ${answer}`}`;
    const wait = response.status === 429 ? retryAfterMs(response) : undefined;
    if (wait !== undefined) return failure({ ...problem("NOT_SENT", said), retryAtMs: clock.now() + wait });
    const heals = response.status === 408 || response.status >= 500;
    return failure(problem(heals ? "NOT_SENT" : "SEND_REFUSED", said));
  } catch (error) {
    return failure(problem("NOT_SENT", `${to}: ${scrub(causeOf(error))}`));
  }
}

/** The answer's beginning, on one line. */
async function begin(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  const bytes: unknown = first?.value;
  const text = bytes instanceof Uint8Array ? new TextDecoder().decode(bytes.subarray(0, ANSWER_MAX)) : "";
  return scrub(text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim());
}

function retryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : PAUSE_MS;
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
