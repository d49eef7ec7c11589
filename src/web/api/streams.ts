import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { suffices } from "../../engine/access/identity.ts";
import { problem } from "../../engine/errors.ts";
import { streamLog } from "../log-stream.ts";
import { Refused } from "../problems.ts";
import type { EventStream } from "../sse.ts";
import { visitorOf } from "../visitor.ts";
import type { Web } from "../web.ts";
import { lookUp } from "./look-up.ts";
import { EventsQuery, JobPath, LogQuery, type Static } from "./schemas.ts";

const LOG_BYTES_MAX = 1024 * 1024;
const EVENTS = "text/event-stream";
const viewer = { role: "viewer" } as const;
type OnLog = { Params: Static<typeof JobPath>; Querystring: Static<typeof LogQuery> };

/** The event streams, and logs by byte offset. */
export function serveStreams(app: FastifyInstance, web: Web): void {
  const { view } = web;
  app.get<{ Querystring: Static<typeof EventsQuery> }>(
    "/events",
    {
      config: viewer,
      exposeHeadRoute: false,
      schema: { summary: "One snapshot of the graph, then what changes", produces: EVENTS, querystring: EventsQuery },
    },
    (request, reply) => {
      web.sendEvents(open(web, request, reply), request.query.graph ?? "whole");
    },
  );
  // At most 1 MB an answer; the next one begins at X-Millrace-Next, and there is no more when it is `from` itself.
  app.get<OnLog>(
    "/jobs/:date/:id/log",
    {
      config: viewer,
      schema: { summary: "A part of a log, by byte", produces: "text/plain", params: JobPath, querystring: LogQuery },
    },
    async (request, reply) => {
      const job = lookUp(view, request.params);
      const from = Math.min(request.query.from ?? 0, (await view.log.size(job.id)) ?? 0);
      const bytes = await view.log.read(job.id, from, LOG_BYTES_MAX);
      return reply
        .header("x-millrace-next", from + bytes.length)
        .header("x-millrace-state", job.state)
        .type("text/plain; charset=utf-8")
        .send(Buffer.from(bytes));
    },
  );
  app.get<OnLog>(
    "/jobs/:date/:id/log/stream",
    {
      config: viewer,
      exposeHeadRoute: false,
      schema: { summary: "A log while it grows", produces: EVENTS, params: JobPath, querystring: LogQuery },
    },
    (request, reply) => {
      const job = lookUp(view, request.params);
      const stream = open(web, request, reply);
      void streamLog(view, stream, job.id, resumeAt(request) ?? request.query.from ?? 0).catch((error: unknown) => {
        web.report(error);
        stream.end();
      });
    },
  );
}

/** A stream outlives what its request was let in by: where not everybody may read, that is looked at again and again. */
function open(web: Web, request: FastifyRequest, reply: FastifyReply): EventStream {
  if (web.streams.full) throw new Refused(503, problem("TOO_MANY_STREAMS", "too many live pages are open"));
  if (web.access.readers === "anyone") return web.streams.open(reply);
  const stays = async () => suffices((await visitorOf(request, web.cookie, web.access)).role, "viewer");
  return web.streams.open(reply, stays);
}

/** The byte that an interrupted reader wants to go on from; anything that is no offset is ignored. */
function resumeAt(request: FastifyRequest<OnLog>): number | undefined {
  const id = request.headers["last-event-id"];
  return typeof id === "string" && /^\d{1,15}$/.test(id) ? Number(id) : undefined;
}
