import { createHash } from "node:crypto";
import type { Json } from "../../engine/json.ts";
import { type Caller, type Refusal, reaches, sees, suffices } from "./credentials.ts";
import { type Ask, header, jsonReply, type Reply } from "./exchange.ts";
import { paged } from "./paging.ts";
import { type Answer, type AnyRoute, type Call, type Ground, Refused } from "./route.ts";
import { type Found, Router } from "./router.ts";
import { routes } from "./routes/index.ts";
import { complete, faults, operationOf, type Shape, unknownNames } from "./schema.ts";
import { fullName, headsBefore, type Repository } from "./world.ts";

/** What one request meets. */
export interface Circumstances {
  readonly oldHeads: { readonly byMs?: number } | undefined;
  /** Whose pages the next one is said to be on; default ours. */
  readonly linkTo?: string;
  /** Says that something is not as GitHub would have it. */
  readonly violated: (what: string) => void;
}

/** What was found out about a request on the way, for the record. */
export interface Trace {
  operation?: string;
  caller?: Caller;
}

/** The REST API: who asks, whether they may, whether the request is as described, and so is the answer. */
export class Api {
  readonly #ground: Ground;
  readonly #router = new Router(routes);
  /** Of answers that were given, by what they were made of. */
  readonly #etags = new Map<string, string>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  answer(ask: Ask, circumstances: Circumstances, trace: Trace): Reply {
    try {
      return this.#answer(ask, circumstances, trace);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const message = { message: error.message, documentation_url: "https://docs.github.com/rest" };
      const errors = error.details.length === 0 ? {} : { errors: error.details };
      return jsonReply(error.status, { ...message, ...errors, status: String(error.status) });
    }
  }

  #answer(ask: Ask, circumstances: Circumstances, trace: Trace): Reply {
    const { violated } = circumstances;
    if (header(ask.headers, "user-agent") === undefined) {
      violated("no User-Agent");
      throw new Refused(
        403,
        "Request forbidden by administrative rules. Please make sure your request has a User-Agent",
      );
    }
    const byNumber = this.#byNumber(ask.path);
    const found = this.#router.find(ask.method, byNumber ?? ask.path);
    if (found === undefined) {
      violated("an unknown route");
      throw new Refused(404, "Not Found");
    }
    trace.operation = found.route.operation;
    const caller = this.#caller(ask, trace);
    const limited = this.#limited(caller);
    if (limited !== undefined) return limited;
    const moved = this.#moved(ask, found);
    if (moved !== undefined) return moved;
    const call = this.#call(ask, found, caller, violated);
    const answer = this.#permitted(call, found.route, circumstances);
    return this.#reply(ask, found.route, caller, answer, circumstances);
  }

  #caller(ask: Ask, trace: Trace): Caller {
    const caller = this.#ground.credentials.caller(header(ask.headers, "authorization"));
    if (isRefusal(caller)) throw new Refused(caller.status, caller.message);
    trace.caller = caller;
    return caller;
  }

  #limited(caller: Caller): Reply | undefined {
    const rate = this.#ground.rates.of(caller);
    if (rate === undefined || rate.remaining > 0) return undefined;
    return jsonReply(403, { message: "API rate limit exceeded" }, this.#rateHeaders(caller));
  }

  #rateHeaders(caller: Caller): Readonly<Record<string, string>> {
    const rate = this.#ground.rates.of(caller);
    if (rate === undefined) return {};
    return {
      "x-ratelimit-limit": String(rate.limit),
      "x-ratelimit-remaining": String(rate.remaining),
      "x-ratelimit-used": String(rate.used),
      "x-ratelimit-reset": String(rate.reset),
      "x-ratelimit-resource": "core",
    };
  }

  /** `/repositories/123/pulls` is what redirects of renamed repositories lead to. */
  #byNumber(path: string): string | undefined {
    const [, id, rest = ""] = /^\/repositories\/(\d+)(\/.*)?$/.exec(path) ?? [];
    const repository = this.#ground.world.repositories.get(Number(id));
    return repository === undefined ? undefined : `/repos/${fullName(repository)}${rest}`;
  }

  /** Under its former name a repository is found by a redirect, as long as no other has taken the name. */
  #moved(ask: Ask, { params }: Found): Reply | undefined {
    const name = `${params["owner"]}/${params["repo"]}`;
    if (params["repo"] === undefined || this.#ground.world.repository(name) !== undefined) return undefined;
    const id = this.#ground.world.formerNames.get(name.toLowerCase());
    if (id === undefined || !this.#ground.world.repositories.has(id)) return undefined;
    const rest = ask.path.split("/").slice(4).join("/");
    const url = this.#ground.shapes.api(`/repositories/${id}${rest === "" ? "" : `/${rest}`}`);
    const query = ask.query.size === 0 ? "" : `?${ask.query.toString()}`;
    const message = { message: "Moved Permanently", url: `${url}${query}` };
    return jsonReply(ask.method === "GET" ? 301 : 307, message, { location: `${url}${query}` });
  }

  #call(ask: Ask, { route, params }: Found, caller: Caller, violated: (what: string) => void): Call {
    const operation = operationOf(route.operation);
    if (operation === undefined) throw new Error(`${route.operation} is not in openapi.json: run npm run openapi`);
    for (const [name, value] of [...Object.entries(params), ...ask.query]) {
      const known = operation.parameters.find((one) => one.name === name && one.in !== "header");
      if (known === undefined) violated(`the unknown parameter ${name}`);
      else for (const fault of faults(known.schema, asked(known.schema, value))) violated(`${name}: ${fault}`);
    }
    const body = bodyOf(ask);
    if (operation.body !== undefined) {
      for (const name of unknownNames(operation.body, body)) violated(`the unknown field ${name}`);
      const wrong = faults(operation.body, body);
      for (const fault of wrong) violated(fault);
      if (wrong.length > 0) throw new Refused(422, `Invalid request.\n\n${wrong.join("\n")}`);
    } else if (ask.raw.length > 0 && ask.method !== "GET") violated("a body where none is described");
    return { ...this.#ground, caller, params, query: ask.query, body };
  }

  #permitted(call: Call, route: AnyRoute, { oldHeads }: Circumstances): Answer {
    if ("needs" in route) {
      const suits = route.needs.some((need) => need === "anybody" || need === call.caller.who);
      if (!suits) throw call.caller.who === "nobody" ? unauthenticated() : forbidden();
      return route.answer(call);
    }
    const repository = call.world.repository(`${call.params["owner"]}/${call.params["repo"]}`);
    if (repository === undefined || !sees(call.world, call.caller, repository)) throw new Refused(404, "Not Found");
    const isReading = Object.values(route.permission).every((level) => level === "read");
    if (!mayUse(call, repository, route.permission, isReading, route.appOnly === true)) throw forbidden();
    if (!isReading && repository.archived) throw new Refused(403, "Repository was archived so is read-only.");
    return route.answer({
      ...call,
      repository,
      heads: oldHeads ? headsBefore(call.world, repository, oldHeads.byMs) : repository.heads,
    });
  }

  #reply(ask: Ask, route: AnyRoute, caller: Caller, answer: Answer, circumstances: Circumstances): Reply {
    const status = answer.status ?? 200;
    const site = circumstances.linkTo ?? this.#ground.shapes.api("").replace(/\/api\/v3$/, ask.prefix);
    const page = answer.list === undefined ? undefined : paged(ask, answer.list, site);
    const json = page === undefined ? answer.json : inside(answer, page.items);
    const brief = ask.method === "GET" ? digest(`${route.operation} ${status} ${JSON.stringify(json)}`) : undefined;
    const known = brief === undefined ? undefined : this.#etags.get(brief);
    // It was held to its description when it was given out.
    if (known !== undefined && header(ask.headers, "if-none-match") === known && caller.who !== "nobody")
      return { status: 304, headers: { ...this.#rateHeaders(caller), ...page?.headers, etag: known }, body: "" };
    const schema = operationOf(route.operation)?.answers[status];
    const whole = schema === undefined || schema === null || json === undefined ? json : complete(schema, json);
    if (schema === undefined) circumstances.violated(`own answer: ${status} is not described`);
    else if (schema !== null) {
      for (const fault of faults(schema, whole))
        if (!TRUE_DIFFERENCES.some((known) => known.test(fault))) circumstances.violated(`own answer: ${fault}`);
      for (const name of unknownNames(schema, json)) circumstances.violated(`own answer: unknown ${name}`);
    }
    const text = whole === undefined ? "" : JSON.stringify(whole);
    const etag = `W/"${digest(text)}"`;
    if (brief !== undefined) this.#etags.set(brief, etag);
    const isUnchanged = ask.method === "GET" && header(ask.headers, "if-none-match") === etag;
    // what has not changed is free, but not for strangers
    if (!isUnchanged || caller.who === "nobody") this.#ground.rates.count(caller);
    const headers = { ...this.#rateHeaders(caller), ...page?.headers, ...(ask.method === "GET" ? { etag } : {}) };
    if (isUnchanged) return { status: 304, headers, body: "" };
    if (whole === undefined) return { status, headers, body: "" };
    return { status, headers: { "content-type": "application/json; charset=utf-8", ...headers }, body: text };
  }
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Where GitHub itself is not as it describes: the head of a pull request whose fork vanished. */
const TRUE_DIFFERENCES = [/\/head\/(repo|user) must be object$/];

const isRefusal = (caller: Caller | Refusal): caller is Refusal => "status" in caller;
const forbidden = (): Refused => new Refused(403, "Resource not accessible by integration");
const unauthenticated = (): Refused => new Refused(401, "Requires authentication");

/** People and strangers read what is public; people with the right role write. */
function mayUse(
  { world, caller }: Call,
  repository: Repository,
  permission: Parameters<typeof suffices>[1],
  isReading: boolean,
  appOnly: boolean,
): boolean {
  if (caller.who === "installation") {
    const isMine = reaches(world, caller, repository);
    return isMine ? suffices(caller.permissions, permission) : isReading && !repository.private;
  }
  if (isReading) return true;
  const role = caller.who === "user" ? world.roleOf(repository, caller.user) : undefined;
  return !appOnly && (role === "write" || role === "maintain" || role === "admin");
}

/** What stands in an address is text; the schema says what it is meant to be. */
function asked(schema: Shape, value: string): Json {
  const types = [schema["type"]].flat();
  if (types.includes("integer") || types.includes("number")) return value.trim() === "" ? value : Number(value);
  if (types.includes("boolean")) return value === "true" ? true : value === "false" ? false : value;
  return value;
}

function bodyOf(ask: Ask): Shape {
  if (ask.raw.length === 0 || ask.method === "GET") return {};
  try {
    const json: unknown = JSON.parse(ask.raw.toString("utf8"));
    if (isObject(json)) return json;
  } catch {
    // GitHub says the same of what is no JSON and of what is no object
  }
  throw new Refused(400, "Problems parsing JSON");
}

const isObject = (json: unknown): json is Shape => typeof json === "object" && json !== null && !Array.isArray(json);

function inside({ list, under }: Answer, items: readonly Json[]): Json {
  return under === undefined ? items : { total_count: list?.length ?? 0, [under]: items };
}
