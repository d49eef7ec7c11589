import type { FastifyInstance, FastifyRequest } from "fastify";
import { isApiToken } from "../engine/access/api-tokens.ts";
import { type Standing, suffices } from "../engine/access/identity.ts";
import { problem } from "../engine/errors.ts";
import type { Failure } from "../term/output.ts";
import { addressOf, callerOf } from "./address.ts";
import { Refused } from "./problems.ts";
import { changes } from "./refusals.ts";
import { same } from "./same.ts";
import { type Visitor, visitorOf } from "./visitor.ts";
import type { Web } from "./web.ts";

/** One route, and who may use it. */
export interface RouteRole {
  readonly method: string;
  readonly url: string;
  readonly role: Standing;
}

declare module "fastify" {
  interface FastifyInstance {
    /** All routes: a test goes through them role by role. */
    readonly routeRoles: readonly RouteRole[];
  }
}

/**
 * The checks before any handler, in order: a role on every route, the origin of the request, who it is, whether the
 * role suffices, the token against forged requests, and whether what has to be stored can be.
 */
export function guard(app: FastifyInstance, web: Web): void {
  const table: RouteRole[] = [];
  app.decorate("routeRoles", table);
  app.addHook("onRoute", ({ url, method, config }) => {
    if (config?.role === undefined) throw new Error(`the route ${url} names no role`);
    for (const one of [method].flat()) table.push({ method: one, url, role: config.role });
  });
  app.addHook("onRequest", async (request) => {
    request.visitor = await visitorOf(request, web.cookie, web.access);
    refuse(foreignOrigin(request, web.view.url));
    const { role = "viewer" } = request.routeOptions.config; // each route has one: this is "not found"
    if (!suffices(request.visitor.role, role)) refuse(notEnough(request, role, web));
  });
  app.addHook("preHandler", async (request) => {
    const { config } = request.routeOptions;
    if (changes(request) && request.visitor.session !== undefined) refuse(forged(request));
    if (config.stores === true && !web.view.storable()) {
      refuse({ status: 503, failure: problem("STORE_FULL", "nothing can be stored right now: the disk is full") });
    }
  });
}

interface Refusal {
  readonly status: number;
  readonly failure: Failure;
}

function refuse(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new Refused(refusal.status, refusal.failure);
}

/**
 * Another site's page may link here, but neither change anything nor read the API.
 *
 * @source Fetch Metadata (`Sec-Fetch-Site`), Fetch (`Origin`). Programs send neither.
 */
function foreignOrigin(request: FastifyRequest, url: string): Refusal | undefined {
  const path = request.routeOptions.url ?? request.url;
  if (!changes(request) && !path.startsWith("/api/")) return undefined;
  const site = request.headers["sec-fetch-site"];
  const { origin, host = "" } = request.headers; // never X-Forwarded-Host: a proxy may hand on what strangers wrote
  const known = [url, `http://${host}`, `https://${host}`];
  const navigation = !changes(request) && request.headers["sec-fetch-mode"] === "navigate";
  const foreign =
    (site !== undefined && site !== "same-origin" && site !== "none" && !navigation) ||
    (origin !== undefined && !known.some((address) => originOf(address) === origin));
  if (!foreign) return undefined;
  const from = origin ?? `a ${String(site)} page`;
  return { status: 403, failure: problem("FORBIDDEN", `this request comes from ${from}, not from this site`) };
}

const originOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).origin : undefined);

function notEnough(request: FastifyRequest, needed: Standing, web: Web): Refusal {
  const { visitor } = request;
  if (visitor.identity !== undefined) return { status: 403, failure: roleNeeded(visitor, needed, web) };
  if (visitor.refused !== true) {
    return { status: 401, failure: problem("LOGIN_NEEDED", onlyFor(needed, web)) };
  }
  const caller = `bearer ${callerOf(addressOf(request))}`; // apart from the form: a program's old token must lock no person out
  if (web.failures.waitMs(caller) > 0) {
    return { status: 429, failure: problem("TOO_MANY_TRIES", "too many wrong tokens from this address") };
  }
  web.failures.failed(caller);
  return { status: 401, failure: wrongToken(request) };
}

/** A token for programs has most often been a right one. Says nothing of whether it was. */
function wrongToken({ headers }: FastifyRequest): Failure {
  if (!isApiToken(headers.authorization?.replace(/^Bearer +/i, "") ?? ""))
    return problem("LOGIN_REFUSED", "the token is wrong");
  const why = "the token is not one of this server: it was revoked, its time is up, or it is another server's";
  return problem("LOGIN_REFUSED", why, { hint: "An administrator makes one with: millrace token create NAME." });
}

const people: Readonly<Record<Standing, string>> = {
  none: "nobody that pipeline.ts names",
  viewer: "a viewer",
  builder: "a builder",
  admin: "an administrator",
};

function onlyFor(needed: Standing, { access }: Web): string {
  if (needed !== "viewer") return `only ${people[needed]} can do this`;
  return access.readers === "named"
    ? "only those whom pipeline.ts names may read here"
    : "only those who are signed in may read here";
}

const AMONG_VIEWERS = "Ask whoever looks after pipeline.ts to name you, or a team of yours, among its viewers.";

const roleNeeded = ({ name, role, doubt }: Visitor, needed: Standing, web: Web): Failure => {
  const unknown = doubt === undefined ? "" : `; what teams would add is not known: ${doubt}`;
  const message = `${onlyFor(needed, web)}; ${name} is ${people[role]}${unknown}`;
  return problem("ROLE_NEEDED", message, role === "none" ? { hint: AMONG_VIEWERS } : {});
};

function forged(request: FastifyRequest): Refusal | undefined {
  const given = request.headers["x-csrf-token"] ?? fieldOf(request.body, "_csrf");
  const expected = request.visitor.session?.csrf;
  if (typeof given === "string" && expected !== undefined && same(given, expected)) return undefined;
  return { status: 403, failure: problem("FORBIDDEN", "the form's token is missing or belongs to an earlier log-in") };
}

/** A text field of a parsed form or JSON body. */
function fieldOf(body: unknown, name: string): string | undefined {
  if (typeof body !== "object" || body === null || !Object.hasOwn(body, name)) return undefined;
  const value: unknown = Reflect.get(body, name);
  return typeof value === "string" ? value : undefined;
}
