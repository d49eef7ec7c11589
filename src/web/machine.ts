import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { problem } from "../engine/errors.ts";
import type { View } from "../engine/view.ts";
import { JobPath, type Static } from "./api/schemas.ts";
import { jobIn } from "./job-id.ts";
import { Refused, sendProblem } from "./problems.ts";
import type { Web } from "./web.ts";

const CHUNK_BYTES = 256 * 1024;
const viewer = { role: "viewer" } as const;
/** What a probe is told says nothing of what runs here. */
const probe = { role: "none" } as const;
const StatusJson = Type.Object({ status: Type.String() });

/** What probes and scrapers read, and the raw log. */
export function serveMachine(app: FastifyInstance, web: Web): void {
  const { view } = web;
  app.get("/healthz", { config: probe, schema: { response: { 200: StatusJson } } }, () => ({ status: "ok" }));
  app.get("/readyz", { config: probe, schema: { response: { 200: StatusJson } } }, (_request, reply) => {
    if (view.ready()) return { status: "ready" };
    return sendProblem(reply, 503, problem("RECOVERING", "open deploys of the last run are being looked through"));
  });
  app.get("/metrics", { config: viewer, schema: { response: { 200: Type.String() } } }, async (_request, reply) =>
    reply.type(web.metrics.contentType).send(await web.metrics.text()),
  );
  app.get<{ Params: Static<typeof JobPath> }>(
    "/job/:date/:id/log.txt",
    { config: viewer, schema: { params: JobPath } },
    (request, reply) => {
      const job = jobIn(view, request.params.date, request.params.id);
      if (job === undefined) throw new Refused(404, problem("NOT_FOUND", "there is no job with this id"));
      const name = job.id.replace("/", "-");
      return reply
        .header("content-disposition", `attachment; filename="${name}.log"`)
        .type("text/plain; charset=utf-8")
        .send(Readable.from(bytesOf(view, job.id)));
    },
  );
}

/** The log up to its end of now, byte for byte. */
async function* bytesOf(view: View, id: string): AsyncGenerator<Uint8Array> {
  const size = (await view.log.size(id)) ?? 0;
  for (let at = 0; at < size; ) {
    const chunk = await view.log.read(id, at, Math.min(CHUNK_BYTES, size - at));
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}
