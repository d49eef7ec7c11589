import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import helmet from "@fastify/helmet";
import fastify, { type FastifyInstance } from "fastify";
import { Access } from "../engine/access/access.ts";
import type { Clock } from "../engine/clock.ts";
import { problem } from "../engine/errors.ts";
import type { Door } from "../engine/inbound.ts";
import type { Secret } from "../engine/secret.ts";
import type { View } from "../engine/view.ts";
import { failure, type Result, success } from "../term/output.ts";
import { serveAccess } from "./api/access.ts";
import { serveActions } from "./api/actions.ts";
import { serveLogRules } from "./api/log-rules.ts";
import { serveDocument } from "./api/openapi.ts";
import { serveProposals } from "./api/proposals.ts";
import { serveReads } from "./api/reads.ts";
import { serveStreams } from "./api/streams.ts";
import { loadAssets } from "./assets.ts";
import { createEvents } from "./events.ts";
import { FailureLimit } from "./failure-limit.ts";
import { createDrawings } from "./graph/drawings.ts";
import { guard } from "./guard.ts";
import { serveMachine } from "./machine.ts";
import { createMetrics } from "./metrics.ts";
import { servePages } from "./serve-pages.ts";
import { SignIns } from "./sign-ins.ts";
import { EventStreams } from "./sse.ts";
import { cookieName } from "./visitor.ts";
import type { Web } from "./web.ts";
import { serveWebhooks } from "./webhooks.ts";

const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_MS_MAX = 30_000;
const HEADERS_MS_MAX = 10_000;
/** How often node looks for requests that take too long. */
const TIMEOUTS_EVERY_MS = 5_000;
const PARAM_CHARS_MAX = 200;

export interface WebOptions {
  readonly view: View;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The acting token from the state directory. */
  readonly token: Secret;
  /** Default: the acting token, and sessions that end with the process. */
  readonly access?: Access;
  readonly clock: Clock;
  /** Addresses and networks of proxies that are believed what they say of a client's address; default: none. */
  readonly trustProxy?: readonly string[];
  /** Where forges tell what happened there; default: nowhere. */
  readonly doors?: readonly Door[];
  /** Told of errors that are faults of the program; default: nobody. */
  readonly report?: (error: unknown) => void;
}

export interface RunningWeb {
  readonly url: string;
  readonly port: number;
  /** Ends all streams and connections at once. */
  close(): Promise<void>;
}

/** Serves the pages and the API. Fails with `PORT_IN_USE` or `CANNOT_LISTEN`. */
export async function startWeb(options: WebOptions): Promise<Result<RunningWeb>> {
  const { app, warm } = await createServer(options);
  const { host } = options;
  try {
    await app.listen({ host, port: options.port });
  } catch (error) {
    await app.close();
    return failure(listenProblem(error, host, options.port));
  }
  warm();
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return success({ url: `http://${reachable(host)}:${port}`, port, close: () => app.close() });
}

/** The server without its port: what tests inject requests into. */
export async function buildServer(options: WebOptions): Promise<FastifyInstance> {
  return (await createServer(options)).app;
}

async function createServer(options: WebOptions) {
  const { view, clock, token } = options;
  const secure = view.url.startsWith("https://");
  const assets = loadAssets();
  const streams = new EventStreams(clock);
  const metrics = createMetrics(view, () => streams.size);
  const web: Web = {
    view,
    clock,
    access: options.access ?? new Access({ clock, token }),
    signIns: new SignIns(clock, view.url, secure),
    failures: new FailureLimit(clock),
    assets,
    drawings: createDrawings(view, clock),
    streams,
    sendEvents: createEvents(view, clock, assets.base),
    metrics,
    cookie: cookieName(secure),
    secure,
    report: options.report ?? (() => {}),
  };
  const app = createApp(options.trustProxy ?? []);
  await addHeaders(app, secure);
  await app.register(cookie);
  await app.register(formbody, { bodyLimit: BODY_BYTES_MAX });
  app.decorateRequest("visitor");
  guard(app, web);
  servePages(app, web);
  serveMachine(app, web);
  serveWebhooks(app, options.doors ?? []);
  await app.register(
    async (api) => {
      serveDocument(api, view);
      serveAccess(api, web);
      serveReads(api, web);
      serveProposals(api, web);
      serveActions(api, web);
      serveLogRules(api, web);
      serveStreams(api, web);
    },
    { prefix: "/api/v1" },
  );
  app.addHook("preClose", async () => streams.closeAll());
  app.addHook("onClose", async () => {
    metrics.close();
    await web.drawings.close();
  });
  return { app, warm: () => web.drawings.warm() };
}

function createApp(trustProxy: readonly string[]): FastifyInstance {
  const app = fastify({
    logger: false,
    // for `request.ip` alone: what fastify makes of X-Forwarded-Host and -Proto with it is used nowhere
    trustProxy: trustProxy.length === 0 ? false : [...trustProxy],
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS_MAX,
    forceCloseConnections: true,
    http: { headersTimeout: HEADERS_MS_MAX, connectionsCheckingInterval: TIMEOUTS_EVERY_MS },
    routerOptions: { maxParamLength: PARAM_CHARS_MAX },
    // An address that the router itself cannot read (bad encoding, too long) names nothing; no hook has run yet.
    frameworkErrors: (_error, _request, reply) => {
      reply.hijack();
      const headers = { "content-type": "text/plain", "content-security-policy": "default-src 'none'" };
      reply.raw.writeHead(404, headers).end("Not found\n");
    },
  });
  app.removeContentTypeParser("text/plain"); // a form of another site could send it without asking
  // The schemas of answers are for documents and tests; leaving fields out silently would help nobody.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  return app;
}

/** Nothing but our own files runs, is shown or is called, on every answer, pictures too. */
async function addHeaders(app: FastifyInstance, secure: boolean): Promise<void> {
  const self = ["'self'"];
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: self,
        styleSrc: self,
        imgSrc: self,
        connectSrc: self,
        formAction: self,
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    crossOriginOpenerPolicy: { policy: "same-origin" },
    crossOriginResourcePolicy: { policy: "same-origin" },
    referrerPolicy: { policy: "same-origin" },
    strictTransportSecurity: secure ? { maxAge: 31_536_000 } : false,
    xFrameOptions: { action: "deny" },
  });
  app.addHook("onSend", async (_request, reply) => {
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
  });
}

function listenProblem(error: unknown, host: string, port: number) {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (code === "EADDRINUSE") {
    return problem("PORT_IN_USE", `port ${port} of ${host} is in use by another process`);
  }
  return problem("CANNOT_LISTEN", `cannot listen on ${host}, port ${port}: ${String(code ?? error)}`);
}

/** A name under which this machine reaches a server that listens on `host`. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
