import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Clock } from "../../engine/clock.ts";
import { Api, type Trace } from "./api.ts";
import { type Ask, jsonReply, type Recorded, type Reply } from "./exchange.ts";
import type { GitHttp } from "./git-http.ts";
import { type Mishap, Mishaps } from "./mishaps.ts";
import type { OAuth } from "./oauth.ts";
import type { Ground } from "./route.ts";
import { Router } from "./router.ts";
import { routes } from "./routes/index.ts";
import { operationOf } from "./schema.ts";

const BODY_BYTES_MAX = 10 * 1024 * 1024;
const SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
const PREFIX = "/api/v3";

/** The HTTP side: reads, lets happen what is planned to go wrong, answers, and writes down what was asked. */
export class FakeServer {
  readonly mishaps = new Mishaps();
  readonly requests: Recorded[] = [];
  /** What was not as GitHub would have it, of a request or of our own answers. Tests expect it to be empty. */
  readonly violations: string[];
  /** Called before each request is answered: what a test does in between, such as a push between two pages. */
  before: (ask: Ask) => void = () => {};
  readonly #clock: Clock;
  readonly #ground: Ground;
  readonly #api: Api;
  readonly #git: GitHttp;
  readonly #oauth: OAuth;
  readonly #router = new Router(routes);
  readonly #server: Server;

  constructor(clock: Clock, ground: Ground, git: GitHttp, oauth: OAuth, violations: string[]) {
    this.#clock = clock;
    this.violations = violations;
    this.#ground = ground;
    this.#api = new Api(ground);
    this.#git = git;
    this.#oauth = oauth;
    this.#server = createServer((message, response) => void this.#serve(message, response));
  }

  /** Its port, on this machine only. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const ask = await read(message);
    if (ask === undefined) return void response.destroy();
    this.before(ask);
    const trace: Trace = {};
    const operation = this.#router.find(ask.method, ask.path)?.route.operation;
    const mishap = this.mishaps.take(operation, `${ask.method} ${ask.path}`);
    if (mishap?.does === "hang") return;
    if (mishap?.does === "cut") return void response.destroy();
    const reply = this.#instead(ask, mishap) ?? (await this.#answer(ask, mishap, trace));
    this.#record(ask, trace, reply.status);
    if (mishap?.does === "lose answer") return void response.destroy();
    if (mishap?.does === "delay") await this.#clock.sleep(mishap.delayMs);
    const { status, headers, body } = spoilt(reply, mishap);
    response.writeHead(status, {
      server: "github.com",
      "x-github-request-id": String(this.requests.length),
      ...headers,
    });
    response.end(body);
  }

  /** What is answered when nothing is to be done. */
  #instead(ask: Ask, mishap: Mishap | undefined): Reply | undefined {
    if (mishap?.does === "status") return jsonReply(mishap.status, { message: mishap.message ?? "Server Error" });
    if (mishap?.does === "expired token") return jsonReply(401, { message: "Bad credentials" });
    if (mishap?.does === "redirect") return jsonReply(302, { message: "Found" }, { location: mishap.to });
    if (mishap?.does === "secondary limit")
      return jsonReply(403, { message: SECONDARY }, { "retry-after": String(mishap.retryAfterSeconds) });
    if (mishap?.does !== "rate limit") return undefined;
    const caller = this.#ground.credentials.caller(ask.headers.authorization);
    if (!("status" in caller)) this.#ground.rates.exhaust(mishap.resetMs, caller);
    return undefined; // what is served next says so
  }

  async #answer(ask: Ask, mishap: Mishap | undefined, trace: Trace): Promise<Reply> {
    const violated = (what: string): void => void this.violations.push(`${ask.method} ${ask.path}: ${what}`);
    try {
      const site = this.#oauth.answer(ask, violated) ?? (await this.#git.answer(ask));
      if (site !== undefined) return site;
      const linkTo = mishap?.does === "foreign link" ? { linkTo: mishap.to } : {};
      return this.#api.answer(
        ask,
        { oldHeads: mishap?.does === "old heads" ? mishap : undefined, violated, ...linkTo },
        trace,
      );
    } catch (error) {
      violated(`the fake itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return jsonReply(500, { message: "Server Error" });
    }
  }

  #record(ask: Ask, { operation, caller }: Trace, status: number): void {
    const permissions = caller?.who === "installation" ? caller.permissions : {};
    const { method, path, query } = ask;
    const found = operation ?? this.#router.find(method, path)?.route.operation;
    this.requests.push({
      atMs: this.#clock.now(),
      method,
      path,
      query: query.toString(),
      operation: found !== undefined && operationOf(found) !== undefined ? found : undefined,
      who: caller?.who ?? "refused",
      permissions,
      status,
    });
  }
}

function spoilt(reply: Reply, mishap: Mishap | undefined): Reply {
  if (mishap?.does === "truncate") return { ...reply, body: reply.body.slice(0, Math.floor(reply.body.length / 2)) };
  if (mishap?.does === "error body") return jsonReply(200, { message: "Server Error" });
  return reply;
}

async function read(message: IncomingMessage): Promise<Ask | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > BODY_BYTES_MAX) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined; // it went away in the middle
  }
  const url = new URL(message.url ?? "/", "http://localhost");
  const prefix = url.pathname.startsWith(`${PREFIX}/`) ? PREFIX : "";
  const path = url.pathname.slice(prefix.length);
  const { method = "GET", headers } = message;
  return { method, path, prefix, query: url.searchParams, headers, raw: Buffer.concat(chunks) };
}
