import type { IncomingHttpHeaders } from "node:http";
import type { Permissions } from "./world.ts";

/** A request as it came in. */
export interface Ask {
  readonly method: string;
  /** Without a leading `/api/v3`. */
  readonly path: string;
  /** What stood before it: "" or "/api/v3". */
  readonly prefix: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly raw: Buffer;
}

/** What goes back. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

/** A request that was served, for tests to look at. */
export interface Recorded {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** As GitHub's description names it: "GET /repos/{owner}/{repo}/pulls"; undefined: git, sign-in, or unknown. */
  readonly operation: string | undefined;
  /** Of whom: "nobody", "app", "user", "client", "installation", or "refused". */
  readonly who: string;
  /** What its token may do. */
  readonly permissions: Permissions;
  readonly status: number;
}

export const jsonReply = (status: number, json: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(json),
});

/** The one value of a header. */
export const header = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};
