import type { FastifyInstance } from "fastify";
import { type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { problem } from "../../src/engine/errors.ts";
import type { IntentRow } from "../../src/engine/store/store.ts";
import {
  BannerJson,
  DeployJson,
  GraphJson,
  JobDetailJson,
  JobsJson,
  ProblemJson,
  ServiceJson,
  StatsJson,
  ThresholdJson,
} from "../../src/web/api/schemas.ts";
import { busyDay, FAILED, RUNNING, WAITING } from "../support/scene.ts";
import { type FakeView, jobId, makeJob } from "../support/view.ts";
import { BEARER, injectable } from "../support/web.ts";

let view: FakeView;
let app: FastifyInstance;
let faults: unknown[];

const deploy: IntentRow = {
  id: "i1",
  lane: "swarm/here/hello",
  kind: "swarm",
  term: "demo/hello/swarm",
  job: jobId(RUNNING),
  generation: 3,
  epoch: 1,
  wanted: { image: "hello@sha256:77d01e24" },
  digest: "sha256:77d01e24",
  before: null,
  seenVersion: "17",
  state: "rolled-back",
  ref: null,
  evidence: "task 1 exited with 1",
  createdMs: 1_763_719_000_000,
  endedMs: null,
};

beforeAll(async () => {
  view = busyDay(1_763_719_000_000);
  view.deploys = [deploy];
  ({ app, faults } = await injectable(view));
});
beforeEach(() => {
  view.actions.length = 0;
  view.refuseWith = undefined;
});
afterAll(async () => {
  await app.close();
  if (faults.length > 0) throw faults[0];
});

const get = async (url: string) => {
  const reply = await app.inject({ url: `/api/v1${url}` });
  const body: unknown = reply.json();
  return { status: reply.statusCode, body };
};

describe("answers have the shape that their schema says", () => {
  const cases: readonly (readonly [string, TSchema])[] = [
    ["/graph", GraphJson],
    ["/jobs", JobsJson],
    ["/jobs?open=true", JobsJson],
    [`/jobs/${RUNNING}`, JobDetailJson],
    [`/jobs/${WAITING}`, JobDetailJson],
    [`/jobs/${FAILED}`, JobDetailJson],
    ["/services", Type.Array(ServiceJson)],
    ["/history", Type.Array(DeployJson)],
    ["/stats", StatsJson],
    ["/banners", Type.Array(BannerJson)],
    ["/confirm", ThresholdJson],
  ];
  test.each(cases)("%s", async (url, schema) => {
    const { status, body } = await get(url);
    expect(status).toBe(200);
    expect(Value.Errors(schema, body)).toEqual([]);
  });

  test("times are ISO 8601 with milliseconds, and absent ones are left out", async () => {
    const { body } = await get(`/jobs/${RUNNING}`);
    expect(body).toMatchObject({ created: "2025-11-21T09:55:55.000Z", state: "running", usuallyMs: 130_000 });
    expect(body).not.toHaveProperty("ended");
  });
});

describe("jobs", () => {
  test("pages by `before`, without losing or repeating one", async () => {
    const many = busyDay(0);
    many.all = [];
    for (let count = 10; count < 35; count++) many.put(makeJob(`2026-11-21/1200${count}-docker-build-a1`));
    const { app: paged } = await injectable(many);
    const seen: string[] = [];
    let before = "";
    for (let page = 0; page < 5; page++) {
      const reply = await paged.inject({ url: `/api/v1/jobs?limit=10${before === "" ? "" : `&before=${before}`}` });
      const body: { jobs: { id: string }[]; next?: string } = reply.json();
      seen.push(...body.jobs.map((job) => job.id));
      if (body.next === undefined) break;
      before = encodeURIComponent(body.next);
    }
    expect(seen).toEqual(many.all.map((job) => job.id));
    await paged.close();
  });

  test("filters", async () => {
    const { body } = await get("/jobs?state=failed&text=billing");
    expect(body).toMatchObject({ jobs: [{ id: FAILED }] });
    expect((await get("/jobs?op=none")).body).toEqual({ jobs: [] });
  });

  test("that are open are as many as are asked for", async () => {
    const { body } = await get("/jobs?open=true&limit=1");
    expect(body).toMatchObject({ jobs: [{ id: view.openJobs(1)[0]?.id }] });
    expect(body).toHaveProperty("jobs.length", 1);
  });
});

describe("errors are problem+json with a code", () => {
  test.each([
    ["/nothing", 404, "NOT_FOUND"],
    ["/jobs/2026-11-21/101502-docker-build-none", 404, "NOT_FOUND"],
    ["/jobs?state=odd", 400, "BAD_REQUEST"],
    ["/jobs?limit=0", 400, "BAD_REQUEST"],
    ["/jobs?limit=1e9", 400, "BAD_REQUEST"],
    [`/jobs/${RUNNING}/log?from=-1`, 400, "BAD_REQUEST"],
    [`/jobs/${RUNNING}/log?from=NaN`, 400, "BAD_REQUEST"],
    [`/jobs/${RUNNING}/log?from=1e18`, 400, "BAD_REQUEST"],
  ])("%s", async (url, status, code) => {
    const reply = await app.inject({ url: `/api/v1${url}` });
    expect(reply.statusCode).toBe(status);
    expect(reply.headers["content-type"]).toContain("application/problem+json");
    const body: unknown = reply.json();
    expect(Value.Errors(ProblemJson, body)).toEqual([]);
    expect(body).toMatchObject({ code, status });
  });

  test.each([
    [problem("NOT_POSSIBLE", "it has ended"), 409],
    [problem("STORE_FULL", "no space"), 503],
    [problem("NOT_FOUND", "it is gone"), 404],
    [problem("PROGRAM_FAULT", "odd"), 500],
  ])("an action that is refused: $code", async (failure, status) => {
    view.refuseWith = failure;
    const reply = await app.inject({ method: "POST", url: `/api/v1/jobs/${RUNNING}/rebuild`, headers: BEARER });
    expect(reply.statusCode).toBe(status);
    expect(reply.json()).toMatchObject({ code: failure.code, detail: failure.message });
  });

  test("a fault of ours tells nothing of its inside", async () => {
    const broken = busyDay(0);
    broken.services = () => {
      throw new Error("secret inside");
    };
    const { app: odd, faults: told } = await injectable(broken);
    const reply = await odd.inject({ url: "/api/v1/services" });
    expect(reply.statusCode).toBe(500);
    expect(reply.body).not.toContain("secret inside");
    expect((await odd.inject({ url: "/" })).body).not.toContain("secret inside");
    expect(told).toHaveLength(2);
    await odd.close();
  });
});

describe("actions", () => {
  test("cancel takes a reason", async () => {
    const url = `/api/v1/jobs/${RUNNING}/cancel`;
    await app.inject({ method: "POST", url, headers: BEARER, payload: { why: "wrong branch" } });
    await app.inject({ method: "POST", url, headers: BEARER });
    expect(view.actions.map((action) => action.why)).toEqual(["wrong branch", "cancelled through the API"]);
  });

  test("confirm answers the new threshold, and takes only levels and none", async () => {
    const put = (threshold: string) =>
      app.inject({ method: "PUT", url: "/api/v1/confirm", headers: BEARER, payload: { threshold } });
    expect((await put("average")).json()).toMatchObject({ threshold: "average" });
    expect((await put("none")).json()).toMatchObject({ threshold: "none" });
    expect((await put("high")).statusCode).toBe(400);
  });

  test("a body over 64 kB is refused", async () => {
    const payload = { term: "x".repeat(70_000) };
    const reply = await app.inject({ method: "POST", url: "/api/v1/terms/adopt", headers: BEARER, payload });
    expect(reply.statusCode).toBe(413);
    expect(view.actions).toEqual([]);
  });
});

describe("probes and metrics", () => {
  test("ready only when recovery is finished", async () => {
    view.isReady = false;
    const reply = await app.inject({ url: "/readyz" });
    expect(reply.statusCode).toBe(503);
    expect(reply.json()).toMatchObject({ code: "RECOVERING" });
    expect((await app.inject({ url: "/healthz" })).statusCode).toBe(200);
    view.isReady = true;
    expect((await app.inject({ url: "/readyz" })).statusCode).toBe(200);
  });

  test("the series, with no text from outside in a label", async () => {
    view.put({ ...makeJob(RUNNING), pool: "docker-build", endedMs: 1_700_000_061_000 });
    view.put({ ...makeJob(RUNNING), pool: "docker-build", endedMs: 1_700_000_061_000 });
    const { body, headers } = await app.inject({ url: "/metrics" });
    expect(headers["content-type"]).toContain("text/plain");
    expect(body).toContain('millrace_core_pipeline_terms{state="ok"} 7');
    expect(body).toContain('millrace_core_pipeline_terms{state="blocked"} 3');
    expect(body).toContain('millrace_pool_resources_in_use{name="docker-build"} 1');
    expect(body).toContain('millrace_pool_qlen{name="docker-build"} 2');
    expect(body).toContain('millrace_jobs_ended_total{op="docker-build",state="ok"} 1');
    expect(body).toContain('millrace_pool_use_time_seconds_sum{name="docker-build"} 60');
    expect(body).toContain('millrace_job_run_seconds_count{op="docker-build"} 1');
    expect(body).not.toMatch(/\{[^}]*(hello|branch|live)/);
  });
});
