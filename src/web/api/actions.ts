import type { FastifyInstance } from "fastify";
import { outcomeOf } from "../problems.ts";
import type { Web } from "../web.ts";
import { lookUp } from "./look-up.ts";
import { thresholdJson } from "./reads.ts";
import { ActionJson, AdoptBody, CancelBody, ConfirmBody, JobPath, type Static, ThresholdJson } from "./schemas.ts";

const admin = { role: "admin", stores: true } as const;
const answers = { 200: ActionJson };
type OnJob = { Params: Static<typeof JobPath> };

/** What changes something; who did it is recorded by the engine, and so is a refusal. */
export function serveActions(app: FastifyInstance, { view }: Web): void {
  app.post<OnJob>(
    "/jobs/:date/:id/rebuild",
    { config: admin, schema: { params: JobPath, response: answers } },
    async ({ params, visitor }) => outcomeOf(await view.act.rebuild(lookUp(view, params).id, visitor.who)),
  );
  app.post<OnJob & { Body: Static<typeof CancelBody> }>(
    "/jobs/:date/:id/cancel",
    { config: admin, schema: { params: JobPath, body: CancelBody, response: answers } },
    async ({ params, visitor, body }) => {
      const why = body?.why ?? "cancelled through the API";
      return outcomeOf(await view.act.cancel(lookUp(view, params).id, visitor.who, why));
    },
  );
  app.post<OnJob>(
    "/jobs/:date/:id/start",
    { config: admin, schema: { params: JobPath, response: answers } },
    async ({ params, visitor }) => outcomeOf(await view.act.start(lookUp(view, params).id, visitor.who)),
  );
  app.put<{ Body: Static<typeof ConfirmBody> }>(
    "/confirm",
    { config: admin, schema: { body: ConfirmBody, response: { 200: ThresholdJson } } },
    async ({ body, visitor }) => {
      outcomeOf(await view.act.confirm(body.threshold, visitor.who));
      return thresholdJson(view);
    },
  );
  app.post<{ Body: Static<typeof AdoptBody> }>(
    "/terms/adopt",
    { config: admin, schema: { body: AdoptBody, response: answers } },
    async ({ body, visitor }) => outcomeOf(await view.act.adopt(body.term, visitor.who)),
  );
}
