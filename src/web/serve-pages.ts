import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { suffices } from "../engine/access/identity.ts";
import { problem } from "../engine/errors.ts";
import type { Failure } from "../term/output.ts";
import { addressOf, callerOf } from "./address.ts";
import type { Picture } from "./graph/drawings.ts";
import { signInBody } from "./pages/login.ts";
import { type Answer, type Page, PICTURE, type Visit } from "./pages/page.ts";
import { forProgram, Refused, refusalOf, sendProblem, titles } from "./problems.ts";
import { noteRefusal } from "./refusals.ts";
import { type Framed, frame } from "./shell.ts";
import { menuFor, site } from "./site.ts";
import type { Html } from "./text.ts";
import { render } from "./views.ts";
import { UNKNOWN, type Visitor } from "./visitor.ts";
import type { Web } from "./web.ts";

const HTML = "text/html; charset=utf-8";
const YEAR_S = 31_536_000;
const FIELD_CHARS_MAX = 4_000;
const fields = (maxLength: number) =>
  Type.Record(Type.String(), Type.Union([Type.String({ maxLength }), Type.Array(Type.String({ maxLength }))]));
const TextFields = fields(FIELD_CHARS_MAX);
const PathFields = Type.Record(Type.String(), Type.String({ maxLength: 200 }));

/** Adds a route for each line of the site's table, the static files, and the pages for errors. */
export function servePages(app: FastifyInstance, web: Web): void {
  for (const page of site) {
    app.route({
      method: page.method,
      url: page.path,
      config: { role: page.role, stores: page.stores === true },
      ...(page.bodyBytesMax === undefined ? {} : { bodyLimit: page.bodyBytesMax }),
      schema: {
        querystring: TextFields,
        params: PathFields,
        ...(page.method === "POST" ? { body: fields(page.fieldCharsMax ?? FIELD_CHARS_MAX) } : {}),
      },
      handler: async (request, reply) => answer(web, page, request, reply),
    });
  }
  app.get<{ Params: { name: string } }>(
    `${web.assets.base}/:name`,
    { config: { role: "none" }, schema: { params: PathFields } },
    (request, reply) => {
      const file = web.assets.file(request.params.name);
      if (file === undefined) return sendFailure(web, request, reply, 404, nothingHere());
      return reply.header("cache-control", `public, max-age=${YEAR_S}, immutable`).type(file.type).send(file.body);
    },
  );
  app.setNotFoundHandler((request, reply) => sendFailure(web, request, reply, 404, nothingHere()));
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error, request.routeOptions.bodyLimit);
    if (!(error instanceof Refused && error.recorded)) noteRefusal(web, request, refusal.status, refusal.failure);
    if (refusal.status === 500 && !(error instanceof Refused)) web.report(error);
    return sendFailure(web, request, reply, refusal.status, refusal.failure);
  });
}

const nothingHere = (): Failure => problem("NOT_FOUND", "there is nothing at this address");

async function answer(web: Web, page: Page, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const visit = visitOf(web, request);
  const result = await page.handler(web, visit);
  if (result === undefined) throw new Refused(404, nothingHere());
  if (result.kind === "redirect") return redirect(web, reply, result);
  if (result.kind === "document") return reply.type(result.type).send(sendable(result.text));
  const framed: Framed = {
    title: result.title ?? page.title,
    body: result.body,
    live: visit.live,
    path: page.path,
    ...(result.look === undefined ? {} : { look: result.look }),
    here: request.url,
  };
  const { text } = frame(web, request.visitor, menuFor(request.visitor.role), framed);
  return reply
    .code(result.status ?? 200)
    .type(HTML)
    .send(result.picture === undefined ? text : sendable(withPicture(text, result.picture)));
}

/** Pieces are sent as fast as the reader takes them, and never joined. */
const sendable = (content: string | Picture): string | Readable =>
  typeof content === "string" ? content : Readable.from(content);

/** The page around its picture. Only our own templates can say where: all else is escaped. */
function withPicture(text: string, picture: Picture): Picture {
  const at = text.indexOf(PICTURE.text);
  return [Buffer.from(text.slice(0, at)), ...picture, Buffer.from(text.slice(at + PICTURE.text.length))];
}

function visitOf(web: Web, request: FastifyRequest): Visit {
  const query = fieldsOf(request.query);
  const form = fieldsOf(request.body);
  const firsts = Object.entries(query).map(([name, values]) => [name, values[0] ?? ""] as const);
  const params = Object.entries(fieldsOf(request.params)).map(([name, values]) => [name, values[0] ?? ""] as const);
  return {
    visitor: request.visitor,
    caller: callerOf(addressOf(request)),
    begun: request.cookies[web.signIns.cookie],
    params: Object.fromEntries(params),
    query: Object.fromEntries(firsts),
    form,
    live: request.headers["x-millrace-live"] !== undefined,
  };
}

function fieldsOf(parsed: unknown): Readonly<Record<string, readonly string[]>> {
  if (typeof parsed !== "object" || parsed === null) return {};
  const fields: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(parsed)) {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    fields[name] = values.filter((one) => typeof one === "string");
  }
  return fields;
}

function redirect(web: Web, reply: FastifyReply, result: Extract<Answer, { kind: "redirect" }>): FastifyReply {
  const options = { path: "/", httpOnly: true, sameSite: "lax", secure: web.secure } as const;
  for (const [name, value] of [
    [web.cookie, result.session],
    [web.signIns.cookie, result.begun],
  ] as const) {
    if (value === "") reply.clearCookie(name, options);
    else if (value !== undefined) reply.setCookie(name, value, options);
  }
  return reply.redirect(result.to, 303);
}

/** Programs get problem+json, people a page that says what to do. */
function sendFailure(
  web: Web,
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  failure: Failure,
): FastifyReply {
  if (forProgram(request)) return sendProblem(reply, status, failure);
  const visitor = request.visitor ?? UNKNOWN;
  const title = titles[status] ?? "Not possible";
  const here = request.method === "GET" ? request.url : "/";
  const body =
    failure.code === "LOGIN_NEEDED" ? signInBody(web, visitor, here, failure) : problemBody(visitor, status, failure);
  if (status === 429 || status === 503) reply.header("retry-after", "60");
  const framed: Framed = { title, body, live: false, path: "", here };
  return reply
    .code(status)
    .type(HTML)
    .send(frame(web, visitor, menuFor(visitor.role), framed).text);
}

function problemBody({ role }: Visitor, status: number, { code, message, hint = "" }: Failure): Html {
  const login = status === 401 || code.startsWith("SIGN_IN_");
  return render("problem", { status, message, hint, login, reads: suffices(role, "viewer") });
}
