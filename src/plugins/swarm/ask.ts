import { limit } from "../../engine/abort.ts";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { scrub } from "../../engine/secret.ts";
import type { Failure } from "../../term/output.ts";

/** An engine's answer; `status` is absent when there was none (no connection, or nothing in time). */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status?: number; readonly error: Failure };

export interface Question {
  /** Completes "while …": "looking at service shop_web on here". */
  readonly doing: string;
  readonly limitMs: number;
  /** Aborting gives up waiting; leave it out for a write, which cannot be taken back. */
  readonly signal?: AbortSignal;
}

/**
 * Asks an engine one thing and waits `limitMs` at most.
 *
 * The wait is ended here and not by the client: it never answers when an engine dies in the middle of an answer.
 * Fails with `CANCELLED`, `ENGINE_UNREACHABLE`, `SWARM_NOT_READY`, `ENGINE_FAULT` (5xx) or `ENGINE_REFUSED` (4xx).
 */
export async function ask<T>(
  clock: Clock,
  question: Question,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<Answer<T>> {
  const { doing, limitMs, signal } = question;
  const limited = limit(clock, limitMs, signal);
  const stopped = new Promise<never>((_resolve, reject) => {
    limited.signal.addEventListener("abort", () => reject(new Error("no answer")), { once: true });
  });
  stopped.catch(() => {}); // nobody may be waiting for it any more
  try {
    if (signal?.aborted) return cancelled(doing, signal);
    return { ok: true, value: await Promise.race([call(limited.signal), stopped]) };
  } catch (error) {
    if (signal?.aborted) return cancelled(doing, signal);
    if (!limited.signal.aborted) return engineAnswer(error, doing);
    const sentence = `while ${doing}: no answer within ${limitMs / 1000} s`;
    return { ok: false, error: problem("ENGINE_UNREACHABLE", sentence) };
  } finally {
    limited.end();
  }
}

const cancelled = (doing: string, signal: AbortSignal): Answer<never> => ({
  ok: false,
  error: problem("CANCELLED", `while ${doing}: ${typeof signal.reason === "string" ? signal.reason : "cancelled"}`),
});

const NOT_READY = /not a swarm manager|does not have a leader|not part of a swarm|swarm has already been|locked/i;

function engineAnswer(error: unknown, doing: string): Answer<never> {
  const status = numberOf(error, "statusCode");
  const sentence = `while ${doing}: ${messageOf(error)}`;
  if (status === undefined) {
    // Without an answer there is no telling why: a socket that may not be opened is the one thing that will not heal.
    const denied = codeOf(error) === "EACCES";
    return { ok: false, error: problem(denied ? "ENGINE_REFUSED" : "ENGINE_UNREACHABLE", sentence) };
  }
  if (NOT_READY.test(sentence)) return { ok: false, status, error: problem("SWARM_NOT_READY", sentence) };
  return { ok: false, status, error: problem(status >= 500 ? "ENGINE_FAULT" : "ENGINE_REFUSED", sentence) };
}

/** The engine's own words, without what the client puts around them. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return scrub(text.trim().replace(/^\(HTTP code (\d+)\) [^-]* - /, "HTTP $1: "));
}

function numberOf(error: unknown, name: string): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const found: unknown = Reflect.get(error, name);
  return typeof found === "number" ? found : undefined;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
