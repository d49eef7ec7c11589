import { limit } from "../../engine/abort.ts";
import type { Clock } from "../../engine/clock.ts";
import { MISDIRECTED } from "./failures.ts";

export type Fetch = typeof globalThis.fetch;

const ANSWER_MS_MAX = 30_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const REDIRECTS_MAX = 3;

/**
 * A `fetch` that speaks to one host only. A redirect is followed there and nowhere else, and only for reads, so that a
 * token never leaves. An answer takes thirty seconds and 64 MiB at most.
 */
export function guarded(base: URL, clock: Clock, fetch: Fetch, onAnswer: (headers: Headers) => void): Fetch {
  return async (input, init = {}) => {
    const limited = limit(clock, ANSWER_MS_MAX, init.signal);
    try {
      const url = new URL(input instanceof Request ? input.url : input);
      const response = await follow(fetch, base, url, { ...init, signal: limited.signal });
      onAnswer(response.headers);
      return await whole(response);
    } catch (error) {
      if (init.signal?.aborted) throw new DOMException("called off", "AbortError"); // what is not tried again
      if (limited.signal.aborted) throw new Error(`no answer within ${ANSWER_MS_MAX / 1000} s`, { cause: error });
      throw error;
    } finally {
      limited.end();
    }
  };
}

async function follow(fetch: Fetch, base: URL, start: URL, init: RequestInit): Promise<Response> {
  let url = start;
  for (let hops = 0; ; hops += 1) {
    if (url.origin !== base.origin) return misdirected(`it leads to ${url.origin}, where nothing is sent`);
    const response = await fetch(url, { ...init, redirect: "manual" });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    if ((init.method ?? "GET") !== "GET") return misdirected("it is redirected: the repository has another name now");
    if (hops >= REDIRECTS_MAX || !URL.canParse(location, url.href)) return misdirected("it is redirected in circles");
    url = new URL(location, url);
  }
}

/** The answer with its whole body, so that a cut connection is found here and an endless one ends. */
async function whole(response: Response): Promise<Response> {
  const reader = response.body?.getReader();
  if (reader === undefined) return response;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const next = await reader.read();
    const value: unknown = next.value;
    if (next.done || !(value instanceof Uint8Array)) break;
    length += value.length;
    if (length > ANSWER_BYTES_MAX) {
      await reader.cancel();
      return misdirected(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    }
    chunks.push(value);
  }
  const { status, statusText, headers } = response;
  return new Response(length === 0 ? null : Buffer.concat(chunks), { status, statusText, headers });
}

const misdirected = (message: string): Response => Response.json({ message }, { status: MISDIRECTED });
