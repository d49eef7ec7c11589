// kill -9 and SIGTERM at every stage of a deploy, and the restart after it.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerHost, need } from "../support/need.ts";
import { type Recorded, type RecordingProxy, recordEngine, recordRegistry } from "../support/recording-proxy.ts";
import { startRegistry } from "../support/registry.ts";
import { startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import type { Deploy, Job, Server } from "./server.ts";
import { until } from "./until.ts";

const REPLICAS = 2;
/** An orderly end may take so long. */
const EXIT_MS = 5_000;

const isUpdate = ({ method, path }: Recorded): boolean => method === "POST" && /\/services\/[^/]+\/update\b/.test(path);
/** The manifest under our own tag: the last thing of a push. */
const isPush = ({ method, path }: Recorded): boolean => method === "PUT" && path.includes("/manifests/millrace-");

describe.skipIf(!(need("swarm") && need("registry") && need("git") && need("busybox")))("death and restart", () => {
  let engine: RecordingProxy;
  let registry: RecordingProxy;
  let world: World;

  beforeAll(async () => {
    engine = await recordEngine(dockerHost);
    const real = await startRegistry();
    registry = await recordRegistry(real.host);
    world = await startWorld({ monitorSec: 1, engine: engine.address, registry: real, registryHost: registry.address });
    await world.serve();
    world.push(await sample("first"));
    await live("first");
  });
  afterAll(async () => {
    await world.close();
    await engine.dispose();
    await registry.dispose();
  });

  const updates = (): number => engine.requests.filter(isUpdate).length;

  /** Waits until the version answers and everything is as wanted, and gives the digest that runs. */
  async function live(version: string): Promise<string> {
    const { server } = world;
    await server.waitFor(`version ${version} is live`, ({ services }) => services.every(({ state }) => state === "ok"));
    await until(
      `version ${version} answers`,
      30_000,
      async () => (await world.request()).text === `version=${version}\n`,
      () => server.output(),
    );
    await server.waitFor(`version ${version} stays`, ({ services }) => services.every(({ state }) => state === "ok"));
    const digest = await world.digestOf("live");
    expect((await world.now()).image).toContain(digest);
    return digest ?? "";
  }

  /** Tasks that were ever made for this image: each replacement makes one for each replica. */
  const tasksFor = async (digest: string): Promise<number> =>
    (await world.tasks()).filter(({ image }) => image.endsWith(digest)).length;

  const running = (op: string): Promise<Job> =>
    world.server.waitFor(`a job ${op} runs`, ({ jobs }) =>
      jobs.find((job) => job.op === op && job.state === "running"),
    );

  const openDeploy = async (state: Deploy["state"]): Promise<Deploy> =>
    until(`a deploy is ${state}`, 30_000, async () =>
      (await world.server.history()).find((deploy) => deploy.kind === "swarm" && deploy.state === state),
    );

  const newest = async (op: string): Promise<Job> => {
    const [job] = await world.server.jobs(op);
    if (job === undefined) throw new Error(`there is no job ${op}`);
    return job;
  };

  async function restart(): Promise<Server> {
    await world.server.kill("SIGKILL");
    return world.serve();
  }

  /** The old job says that it was interrupted, the new one that it goes on from there. */
  async function expectTakenUp(old: Job, server: Server): Promise<void> {
    expect(await server.job(old.id)).toMatchObject({ state: "interrupted", error: { code: "INTERRUPTED" } });
    const taken = await newest(old.op);
    expect(taken.id).not.toBe(old.id);
    expect(await server.log(taken.id)).toContain(`Takes up what was interrupted: job ${old.id}`);
  }

  it("kill -9 during the build: it is built again, once", async () => {
    world.push(await slow("killed-build"));
    const job = await running("docker-build");
    await said(world.server, job.id, "sleep 8");
    const server = await restart();
    const digest = await live("killed-build");
    await expectTakenUp(job, server);
    expect(await tasksFor(digest)).toBe(REPLICAS);
  });

  it("kill -9 during the push: it is pushed again, and what the dead one sent late does no harm", async () => {
    const held = registry.hold("request", isPush);
    world.push(await sample("killed-push"));
    const job = await running("docker-push");
    await held.arrived;
    const server = await restart();
    const digest = await live("killed-push");
    held.release();
    await expectTakenUp(job, server);
    expect(await tasksFor(digest)).toBe(REPLICAS);
    expect(await world.digestOf("live")).toBe(digest);
  });

  it("kill -9 during the roll-out: it is followed, not repeated", async () => {
    const before = updates();
    world.push(await sample("killed-rollout"));
    const deploy = await openDeploy("applied");
    const job = await newest("swarm");
    const server = await restart();
    const digest = await live("killed-rollout");
    expect(updates() - before).toBe(1);
    expect(await tasksFor(digest)).toBe(REPLICAS);
    await expectTakenUp(job, server);
    expect((await server.history()).find(({ id }) => id === deploy.id)).toMatchObject({ state: "verified" });
    const taken = await newest("swarm");
    expect(taken.state).toBe("ok");
    const resumes = (await server.job(taken.id)).inputs.find(({ name }) => name === "resumes");
    expect(resumes?.text).toContain(deploy.id);
  });

  it("kill -9 after the update, before it was recorded: it is found on the service and followed", async () => {
    const before = updates();
    const held = engine.hold("answer", isUpdate);
    world.push(await sample("killed-unrecorded"));
    await held.arrived;
    const deploy = await openDeploy("planned");
    const job = await newest("swarm");
    const server = await restart();
    held.release();
    const digest = await live("killed-unrecorded");
    expect(updates() - before).toBe(1);
    expect(await tasksFor(digest)).toBe(REPLICAS);
    await expectTakenUp(job, server);
    expect((await server.history()).find(({ id }) => id === deploy.id)).toMatchObject({ state: "verified" });
    expect(await server.log((await newest("swarm")).id)).toContain("followed, not repeated");
  });

  it("kill -9 before the update arrives: fenced, done once, and the late one is refused", async () => {
    const before = updates();
    const held = engine.hold("request", isUpdate);
    world.push(await sample("killed-planned"));
    await held.arrived;
    const deploy = await openDeploy("planned");
    const server = await restart();
    const digest = await live("killed-planned");
    const { version } = await world.now();
    held.release();
    await until("the late update has been answered", 10_000, () => engine.answered(isUpdate) === updates());
    expect(updates() - before).toBe(3); // the late one, the fence, the change
    expect((await world.now()).version).toBe(version);
    expect(await tasksFor(digest)).toBe(REPLICAS);
    expect((await server.history()).find(({ id }) => id === deploy.id)).toMatchObject({ state: "verified" });
  });

  it("kill -9 before the update arrives, and something newer is wanted: the old value never runs", async () => {
    const held = engine.hold("request", isUpdate);
    world.push(await sample("never-run"));
    await held.arrived;
    const deploy = await openDeploy("planned");
    const never = (await world.digestOf("live")) ?? "";
    await world.server.kill("SIGKILL");
    world.push(await sample("wanted-now"));
    const server = await world.serve();
    const digest = await live("wanted-now");
    held.release();
    await until("the late update has been answered", 10_000, () => engine.answered(isUpdate) === updates());
    expect((await world.request()).text).toBe("version=wanted-now\n");
    expect([await tasksFor(never), await tasksFor(digest)]).toEqual([0, REPLICAS]);
    expect((await server.history()).find(({ id }) => id === deploy.id)).toMatchObject({ state: "superseded" });
  });

  // Four kills on the way, wherever they fall: printed, so that a bad one can be played again.
  it.each([[[350, 900, 1_500, 2_600]], [[1_100, 1_300, 200, 3_100]]])("kill -9 after %j ms", async (offsetsMs) => {
    const version = `killed-${offsetsMs.join("-")}`;
    world.push(await sample(version));
    for (const offsetMs of offsetsMs) {
      await new Promise((resolve) => setTimeout(resolve, offsetMs));
      await restart();
    }
    const digest = await live(version);
    expect(await tasksFor(digest)).toBe(REPLICAS);
    expect((await world.server.jobs()).filter(({ state }) => state === "running")).toEqual([]);
  });

  it("a restart with nothing changed runs no job and writes nothing", async () => {
    const jobs = await world.server.jobs();
    const writes = [engine.writes().length, registry.writes().length];
    const tasks = await world.tasks();
    await restart();
    await world.server.waitFor("all is as wanted", ({ graph, services }) =>
      [...services, ...graph.nodes].every(({ state }) => state === "ok"),
    );
    expect(await world.server.jobs()).toEqual(jobs);
    expect([engine.writes().length, registry.writes().length]).toEqual(writes);
    expect(await world.tasks()).toEqual(tasks);
  });

  /** Ends the server in order, and gives what it took. */
  async function terminate(): Promise<number> {
    const startMs = performance.now();
    await world.server.kill("SIGTERM");
    const tookMs = performance.now() - startMs;
    expect(await world.server.ended).toBe(0);
    expect(world.server.output()).toContain("SIGTERM: stopping in order");
    return tookMs;
  }

  it("SIGTERM during the build: out in five seconds, marked, and built after the restart", async () => {
    world.push(await slow("stopped-build"));
    const job = await running("docker-build");
    await said(world.server, job.id, "sleep 8");
    expect(await terminate()).toBeLessThan(EXIT_MS);
    const server = await world.serve();
    const old = await server.job(job.id);
    expect(old).toMatchObject({ state: "interrupted", note: "Millrace is being stopped (SIGTERM)" });
    const digest = await live("stopped-build");
    await expectTakenUp(job, server);
    expect(await tasksFor(digest)).toBe(REPLICAS);
  });

  it("SIGTERM during the roll-out: the update goes on, and is followed after the restart", async () => {
    const before = updates();
    world.push(await sample("stopped-rollout"));
    const deploy = await openDeploy("applied");
    const job = await newest("swarm");
    expect(await terminate()).toBeLessThan(EXIT_MS);
    await until("the update goes on by itself", 30_000, async () => (await world.now()).update === "completed");
    const server = await world.serve();
    const digest = await live("stopped-rollout");
    expect(updates() - before).toBe(1);
    expect(await tasksFor(digest)).toBe(REPLICAS);
    await expectTakenUp(job, server);
    expect((await server.history()).find(({ id }) => id === deploy.id)).toMatchObject({ state: "verified" });
  });
});

/** The same, but its build takes seconds. */
async function slow(version: string): Promise<Record<string, string>> {
  const files = await sample(version);
  const never = randomUUID(); // an engine that has run these tests before has the layer
  return { ...files, Dockerfile: `${files["Dockerfile"] ?? ""}RUN echo ${version} ${never} && sleep 8\n` };
}

const said = (server: Server, job: string, text: string): Promise<boolean> =>
  until(`job ${job} says "${text}"`, 20_000, async () => (await server.log(job)).includes(text));
