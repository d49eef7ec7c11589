import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { View } from "../../engine/view.ts";
import { iso } from "../text.ts";
import type { Web } from "../web.ts";
import { deployJson, graphJson, jobDetailJson, jobJson, type Sent, serviceJson, waitingJson } from "./json.ts";
import { lookUp } from "./look-up.ts";
import {
  BannerJson,
  DeployJson,
  GraphJson,
  HistoryQuery,
  JobDetailJson,
  JobPath,
  JobsJson,
  JobsQuery,
  ServiceJson,
  type Static,
  StatsJson,
  ThresholdJson,
  WaitingJson,
} from "./schemas.ts";

const LIMIT = 100;
const viewer = { role: "viewer" } as const;

/** What anybody may read: the graph, jobs, services, past deploys, counts, banners, the threshold. */
export function serveReads(app: FastifyInstance, { view }: Web): void {
  app.get(
    "/graph",
    { config: viewer, schema: { summary: "The graph as it is now", response: { 200: GraphJson } } },
    () => graphJson(view.graph()),
  );
  app.get(
    "/approvals",
    {
      config: viewer,
      schema: { summary: "Commits that wait for a maintainer", response: { 200: Type.Array(WaitingJson) } },
    },
    () => view.approvals().map(waitingJson),
  );
  app.get<{ Querystring: Static<typeof JobsQuery> }>(
    "/jobs",
    { config: viewer, schema: { summary: "Jobs, newest first", querystring: JobsQuery, response: { 200: JobsJson } } },
    (request) => jobsPage(view, request.query),
  );
  app.get<{ Params: Static<typeof JobPath> }>(
    "/jobs/:date/:id",
    { config: viewer, schema: { summary: "One job", params: JobPath, response: { 200: JobDetailJson } } },
    (request) => jobDetailJson(lookUp(view, request.params)),
  );
  app.get(
    "/services",
    { config: viewer, schema: { summary: "What is live where", response: { 200: Type.Array(ServiceJson) } } },
    () => view.services().map(serviceJson),
  );
  app.get<{ Querystring: Static<typeof HistoryQuery> }>(
    "/history",
    {
      config: viewer,
      schema: {
        summary: "Past deploys, newest first",
        querystring: HistoryQuery,
        response: { 200: Type.Array(DeployJson) },
      },
    },
    (request) => view.history({ limit: LIMIT, ...request.query }).map(deployJson),
  );
  app.get(
    "/stats",
    { config: viewer, schema: { summary: "Boxes of the graph by state", response: { 200: StatsJson } } },
    () => view.stats(),
  );
  app.get(
    "/banners",
    { config: viewer, schema: { summary: "Problems of the whole", response: { 200: Type.Array(BannerJson) } } },
    () => [...view.banners()],
  );
  app.get(
    "/operations",
    { config: viewer, schema: { summary: "Operations that have jobs", response: { 200: Type.Array(Type.String()) } } },
    () => [...view.operations()],
  );
  app.get(
    "/confirm",
    { config: viewer, schema: { summary: "The confirm threshold", response: { 200: ThresholdJson } } },
    () => thresholdJson(view),
  );
}

function jobsPage(view: View, query: Static<typeof JobsQuery>): Sent<Static<typeof JobsJson>> {
  if (query.open === true) return { jobs: view.openJobs(query.limit).map(jobJson) };
  const { open: _, limit = LIMIT, ...filter } = query;
  const found = view.jobs({ ...filter, limit: limit + 1 });
  const jobs = found.slice(0, limit).map(jobJson);
  const last = found[limit - 1];
  return found.length > limit && last !== undefined ? { jobs, next: last.id } : { jobs };
}

export function thresholdJson(view: View): Static<typeof ThresholdJson> {
  const { threshold, setBy, autoReleaseAtMs } = view.threshold();
  return { threshold, setBy, ...(autoReleaseAtMs === undefined ? {} : { autoRelease: iso(autoReleaseAtMs) }) };
}
