/** What goes wrong with one answer of the fake. */
export type Mishap =
  /** Nothing is done, and this is the answer. */
  | { readonly does: "status"; readonly status: number; readonly message?: string }
  /** Nothing is done, and the connection is cut. */
  | { readonly does: "cut" }
  /** It is done, and the connection is cut before the answer. */
  | { readonly does: "lose answer" }
  /** It is done, and the answer's JSON ends in the middle. */
  | { readonly does: "truncate" }
  /** It is done, and the answer is 200 with JSON of an error. */
  | { readonly does: "error body" }
  /** Heads are those from before the last change, or from so long ago: of a copy that lags behind. */
  | { readonly does: "old heads"; readonly byMs?: number }
  /** Nothing is done: 401, as if the token had just expired. */
  | { readonly does: "expired token" }
  /** Nothing is done: the hour's requests are used up. */
  | { readonly does: "rate limit"; readonly resetMs: number }
  /** Nothing is done: too much at once. */
  | { readonly does: "secondary limit"; readonly retryAfterSeconds: number }
  /** Nothing is done: the answer sends the caller to another place. */
  | { readonly does: "redirect"; readonly to: string }
  /** The next page is said to be at another host. */
  | { readonly does: "foreign link"; readonly to: string }
  /** It is done; the answer comes so much later. */
  | { readonly does: "delay"; readonly delayMs: number }
  /** Nothing ever comes back, and the connection stays open. */
  | { readonly does: "hang" };

export interface Planned {
  readonly mishap: Mishap;
  /** Which operation or path; default: every one. */
  readonly on?: string | RegExp;
  /** To how many requests it happens; default 1. */
  readonly times?: number;
}

/** Mishaps that wait for their request, in the order in which they were planned. */
export class Mishaps {
  #planned: { readonly mishap: Mishap; readonly on: string | RegExp | undefined; left: number }[] = [];

  plan({ mishap, on, times = 1 }: Planned): void {
    this.#planned.push({ mishap, on, left: times });
  }

  clear(): void {
    this.#planned = [];
  }

  /** The one for this request: its operation, such as "GET /repos/{owner}/{repo}/pulls", or its method and path. */
  take(operation: string | undefined, request: string): Mishap | undefined {
    const meant = this.#planned.find(
      ({ on, left }) =>
        left > 0 &&
        (on === undefined || (typeof on === "string" ? on === operation || on === request : on.test(request))),
    );
    if (meant === undefined) return undefined;
    meant.left -= 1;
    return meant.mishap;
  }
}
