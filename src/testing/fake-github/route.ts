import type { Json } from "../../engine/json.ts";
import type { Caller, Credentials } from "./credentials.ts";
import type { Listed } from "./paging.ts";
import type { Rates } from "./rate.ts";
import type { Shape } from "./schema.ts";
import type { Shapes } from "./shapes.ts";
import type { Heads, Permissions, Repository, World } from "./world.ts";

/** Everything that answers are made from. */
export interface Ground {
  readonly world: World;
  readonly shapes: Shapes;
  readonly credentials: Credentials;
  readonly rates: Rates;
  /** The event happens: webhooks are sent. */
  readonly tell: (event: string, action: string | undefined, repository: Repository, more: Shape) => void;
}

/** A request that is well-formed and permitted. */
export interface Call extends Ground {
  readonly caller: Caller;
  readonly params: { readonly [name: string]: string };
  readonly query: URLSearchParams;
  readonly body: Shape;
}

/** A request about a repository that the caller may see. */
export interface RepositoryCall extends Call {
  readonly repository: Repository;
  /** As this answer shows them: older ones when the mishap says so. */
  readonly heads: Heads;
}

export interface Answer {
  readonly status?: number;
  readonly json?: Json;
  /** A list to be cut into pages; `under`: the property of an object that holds it, beside `total_count`. */
  readonly list?: Listed;
  readonly under?: string;
}

/** Who may ask. Of several, one suffices. */
export type Need = "anybody" | "app" | "installation" | "user" | "client";

export interface Route {
  /** As GitHub's description names it. */
  readonly operation: string;
  readonly needs: readonly Need[];
  readonly answer: (call: Call) => Answer;
}

/** A route of one repository. People and strangers may read what is public; everything else takes the permission. */
export interface RepositoryRoute {
  readonly operation: string;
  readonly permission: Permissions;
  /** Only an app may, with an installation's token. */
  readonly appOnly?: boolean;
  readonly answer: (call: RepositoryCall) => Answer;
}

export type AnyRoute = Route | RepositoryRoute;

/** GitHub refuses: thrown by what answers, so that it needs no words. */
export class Refused extends Error {
  readonly status: number;
  readonly details: readonly Shape[];

  constructor(status: number, message: string, details: readonly Shape[] = []) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

export const notFound = (): Refused => new Refused(404, "Not Found");

/** The parameter of the path, which the operation is sure to have. */
export const parameter = (call: Call, name: string): string => call.params[name] ?? "";

/** The text in the body; undefined when it says nothing. */
export function textIn(body: Shape, name: string): string | undefined {
  const value = body[name];
  return typeof value === "string" ? value : undefined;
}

export const flagIn = (body: Shape, name: string, otherwise: boolean): boolean => {
  const value = body[name];
  return typeof value === "boolean" ? value : otherwise;
};

/** The one with the id that the path names. */
export function byId<T extends { readonly id: number }>(all: Iterable<T>, id: string): T {
  for (const one of all) if (one.id === Number(id)) return one;
  throw notFound();
}
