// A Docker engine that goes away and comes back, with the services on it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canStartEngine } from "../support/engine.ts";
import { need } from "../support/need.ts";
import { type Recorded, type RecordingProxy, recordEngine } from "../support/recording-proxy.ts";
import { startRegistry } from "../support/registry.ts";
import { type SwarmEngine, startSwarmEngine } from "../support/swarm-engine.ts";
import { startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import type { Graph } from "./server.ts";
import { until } from "./until.ts";

const BACK_MS = 90_000;

const isUpdate = ({ method, path }: Recorded): boolean => method === "POST" && /\/services\/[^/]+\/update\b/.test(path);

describe.skipIf(!(canStartEngine() && need("registry") && need("git") && need("busybox")))(
  "an engine that goes away",
  () => {
    let engine: SwarmEngine;
    let proxy: RecordingProxy;
    let world: World;

    beforeAll(async () => {
      const registry = await startRegistry();
      engine = await startSwarmEngine(registry.host);
      proxy = await recordEngine(engine.endpoint);
      world = await startWorld({ monitorSec: 1, registry, engine: proxy.address, servicesOn: engine.endpoint });
      await world.serve();
      await world.server.rolledOut(world.push(await sample("first")).commit);
    });
    afterAll(async () => {
      await engine.start(); // a test that failed may have left it down
      await world.close();
      await proxy.dispose();
      await engine.dispose();
    });

    /** A box that failed because the engine does not answer, and says when it asks again. */
    const unreachable = (kind: string): Promise<Graph["nodes"][number]> =>
      world.server.waitFor(`the ${kind} is tried again later`, ({ graph }) =>
        graph.nodes.find(
          ({ kind: is, failure }) =>
            is === kind &&
            failure?.code === "ENGINE_UNREACHABLE" &&
            failure.class === "transient" &&
            failure.retryAt !== undefined,
        ),
      );

    const updates = (): number => proxy.requests.filter(isUpdate).length;

    it("at rest: shown, and taken up again with what was pushed meanwhile", async () => {
      const before = updates();
      await engine.stop();
      await world.server.kill("SIGKILL");
      await world.serve();
      await unreachable("deploy");
      const { commit } = world.push(await sample("pushed-while-down"));
      const build = await unreachable("build");
      expect(build.failure?.message).toContain("engine");
      await engine.start();
      await world.server.rolledOut(commit, "live");
      expect((await world.now()).image).toContain(await world.digestOf("live"));
      expect(updates() - before).toBe(1);
    });

    it("during a build: built again, once", async () => {
      const before = updates();
      const files = await sample("build-cut");
      const { commit } = world.push({ ...files, Dockerfile: `${files["Dockerfile"] ?? ""}RUN echo cut && sleep 3\n` });
      const { id } = await world.server.waitFor("the build runs", ({ jobs }) =>
        jobs.find(({ op, state }) => op === "docker-build" && state === "running"),
      );
      await until("it is at its slow part", 20_000, async () => (await world.server.log(id)).includes("sleep 3"));
      await engine.kill();
      await unreachable("build");
      await engine.start();
      await world.server.rolledOut(commit);
      expect((await world.now()).image).toContain(await world.digestOf("live"));
      expect(updates() - before).toBe(1);
    });

    it("during an update: followed to its end, sent once", async () => {
      const before = updates();
      world.push(await sample("update-cut"));
      const deploy = await until("the update is in", 30_000, async () =>
        (await world.server.history()).find(({ kind, state }) => kind === "swarm" && state === "applied"),
      );
      const wanted = (await world.digestOf("live")) ?? "";
      await engine.stop();
      await until("it is noticed", 30_000, async () => (await world.server.log(deploy.job)).includes("asking again"));
      await engine.start();
      const ended = await until("the deploy has an ending", BACK_MS, async () =>
        (await world.server.history()).find((one) => one.id === deploy.id && one.ended !== undefined),
      );
      // Swarm may hold the engine's end against tasks that had just begun, and roll back. What counts is that we say so.
      expect(["verified", "rolled-back"]).toContain(ended.state);
      expect((await world.now()).image.endsWith(wanted)).toBe(ended.state === "verified");
      expect(await world.server.log(deploy.job)).toContain("in reach again");
      expect(updates() - before).toBe(1);
    });
  },
);
