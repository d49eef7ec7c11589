import type { FastifyInstance } from "fastify";
import type { View } from "../../engine/view.ts";
import { outcomeOf, Refused } from "../problems.ts";
import { notTheirs } from "../rights.ts";
import type { Visitor } from "../visitor.ts";
import type { Web } from "../web.ts";
import { lookUp } from "./look-up.ts";
import { thresholdJson } from "./reads.ts";
import {
  ActionJson,
  AdoptBody,
  ApproveBody,
  ConfirmBody,
  JobPath,
  type Static,
  ThresholdJson,
  WhyBody,
} from "./schemas.ts";

const admin = { role: "admin", stores: true } as const;
const builder = { role: "builder", stores: true } as const;
const answers = { 200: ActionJson };
type OnJob = { Params: Static<typeof JobPath>; Body: Static<typeof WhyBody> };
const onJob = { params: JobPath, body: WhyBody, response: answers };

/** What changes something; who did it is recorded by the engine, and so is a refusal. */
export function serveActions(app: FastifyInstance, { view }: Web): void {
  app.post<OnJob>(
    "/jobs/:date/:id/rebuild",
    { config: builder, schema: { summary: "Run a job again", ...onJob } },
    async ({ params, visitor, body }) =>
      outcomeOf(await view.act.rebuild(theirs(view, params, visitor), visitor.who, body?.why)),
  );
  app.post<OnJob>(
    "/jobs/:date/:id/cancel",
    { config: builder, schema: { summary: "End a job", ...onJob } },
    async ({ params, visitor, body }) => {
      const why = body?.why ?? "cancelled through the API";
      return outcomeOf(await view.act.cancel(theirs(view, params, visitor), visitor.who, why));
    },
  );
  app.post<OnJob>(
    "/jobs/:date/:id/start",
    { config: admin, schema: { summary: "Start a job that waits for a person", ...onJob } },
    async ({ params, visitor, body }) =>
      outcomeOf(await view.act.start(lookUp(view, params).id, visitor.who, body?.why)),
  );
  app.put<{ Body: Static<typeof ConfirmBody> }>(
    "/confirm",
    {
      config: admin,
      schema: { summary: "Set the confirm threshold", body: ConfirmBody, response: { 200: ThresholdJson } },
    },
    async ({ body, visitor }) => {
      outcomeOf(await view.act.confirm(body.threshold, visitor.who, body.why));
      return thresholdJson(view);
    },
  );
  app.post<{ Body: Static<typeof ApproveBody> }>(
    "/approvals",
    { config: admin, schema: { summary: "Let a stranger's commit be built", body: ApproveBody, response: answers } },
    async ({ body: { why, ...which }, visitor }) => outcomeOf(await view.act.approve(which, visitor.who, why)),
  );
  app.post<{ Body: Static<typeof AdoptBody> }>(
    "/terms/adopt",
    { config: admin, schema: { summary: "Accept what runs on a target", body: AdoptBody, response: answers } },
    async ({ body, visitor }) => outcomeOf(await view.act.adopt(body.term, visitor.who, body.why)),
  );
}

/** The job that the address names, if the visitor may touch it. */
function theirs(view: View, path: Static<typeof JobPath>, visitor: Visitor): string {
  const job = lookUp(view, path);
  const foreign = notTheirs(view, visitor, job.term);
  if (foreign !== undefined) throw new Refused(403, foreign);
  return job.id;
}
