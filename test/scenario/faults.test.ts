// What Millrace talks to goes away and comes back: shown, tried again, healed by itself.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { need } from "../support/need.ts";
import { type Recorded, type RecordingProxy, recordRegistry } from "../support/recording-proxy.ts";
import { freePort, startRegistry } from "../support/registry.ts";
import { startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import type { Graph, Told } from "./server.ts";
import { until } from "./until.ts";

const REPLICAS = 2;

const isPush = ({ method, path }: Recorded): boolean => method === "PUT" && path.includes("/manifests/millrace-");
const isTag = ({ method, path }: Recorded): boolean => method === "PUT" && path.endsWith("/manifests/live");

const parts = need("swarm") && need("registry") && need("git") && need("busybox");

describe.skipIf(!parts)("a registry or repository that goes away", () => {
  let registry: RecordingProxy;
  let world: World;

  beforeAll(async () => {
    const real = await startRegistry();
    registry = await recordRegistry(real.host);
    world = await startWorld({ monitorSec: 1, registry: real, registryHost: registry.address });
    await world.serve();
    await world.server.rolledOut(world.push(await sample("first")).commit);
  });
  afterAll(async () => {
    await world.close();
    await registry.dispose();
  });

  /** A box that failed by the outside's fault, and says when it tries again. */
  const retried = (what: string, kind: string, code: string): Promise<Graph["nodes"][number]> =>
    world.server.waitFor(what, ({ graph }) =>
      graph.nodes.find(
        ({ kind: is, failure }) =>
          is === kind && failure?.code === code && failure.class === "transient" && failure.retryAt !== undefined,
      ),
    );

  const heads = ({ graph }: Told): Graph["nodes"][number] | undefined =>
    graph.nodes.find(({ kind }) => kind === "source");

  async function expectDeployedOnce(): Promise<void> {
    const digest = (await world.digestOf("live")) ?? "";
    expect((await world.now()).image).toContain(digest);
    expect((await world.tasks()).filter(({ image }) => image.endsWith(digest))).toHaveLength(REPLICAS);
  }

  it("registry, during a push", async () => {
    const held = registry.hold("request", isPush);
    const { commit } = world.push(await sample("push-cut"));
    await held.arrived;
    await world.registry.stop();
    held.release();
    const failed = await retried("the push is tried again later", "push", "REGISTRY_UNREACHABLE");
    expect(failed.state).toBe("failed");
    await world.registry.restart();
    await world.server.rolledOut(commit);
    await expectDeployedOnce();
  });

  const uploads = (): number =>
    registry.requests.filter(({ method, path }) => method === "POST" && path.includes("/blobs/uploads")).length;

  it.each([
    ["answer", "break"],
    ["request", 503],
    ["request", "break"],
  ] as const)("registry, that fails at the end of a push (%s, %s): no layer is sent twice", async (where, how) => {
    const pushes = (): number => registry.requests.filter(isPush).length;
    const before = pushes();
    const held = registry.hold(where, isPush);
    const { commit } = world.push(await sample(`push-${where}-${how}`));
    await held.arrived;
    const sent = uploads();
    held.release(how);
    await world.server.rolledOut(commit);
    expect(pushes() - before).toBe(2);
    expect(uploads()).toBe(sent);
    await expectDeployedOnce();
  });

  it("registry, while the public tag is moved", async () => {
    const held = registry.hold("request", isTag);
    const { commit } = world.push(await sample("tag-cut"));
    await held.arrived;
    await world.registry.stop();
    held.release();
    await retried("the tag is tried again later", "tag", "REGISTRY_UNREACHABLE");
    await world.registry.restart();
    await world.server.rolledOut(commit);
    await expectDeployedOnce();
    const moves = (await world.server.history()).filter(({ kind }) => kind === "tag");
    expect(moves.map(({ state }) => state)).toEqual(moves.map(() => "verified"));
  });

  it("repository, moved away during a build and back: nothing is cancelled, nothing is lost", async () => {
    const [here, away] = [join(world.dir, "hello.git"), join(world.dir, "away.git")];
    const files = await sample("built-while-away");
    world.push({ ...files, Dockerfile: `${files["Dockerfile"] ?? ""}RUN echo away ${randomUUID()} && sleep 3\n` });
    const build = await world.server.waitFor("the build runs", ({ jobs }) =>
      jobs.find(({ op, state }) => op === "docker-build" && state === "running"),
    );
    renameSync(here, away);
    const stale = await world.server.waitFor(
      "the heads are stale",
      (now) => heads(now)?.staleSince !== undefined && heads(now),
    );
    expect([stale.state, stale.detail]).toEqual(["ok", expect.stringContaining("hello.git")]);
    expect((await world.server.job(build.id)).state).toBe("running");
    await world.server.waitFor("the build ends well", ({ jobs }) =>
      jobs.find(({ id, state }) => id === build.id && state === "ok"),
    );
    await world.server.waitFor("nothing is deployed from a head that cannot be read", ({ services }) =>
      services.find(({ detail }) => detail.includes("not deployed while the head cannot be read")),
    );
    const commit = world.work.commit(await sample("pushed-while-away"));
    world.work.push(away, "live");
    renameSync(away, here);
    const now = await world.server.rolledOut(commit);
    expect(heads(now)?.staleSince).toBeUndefined();
    expect((await world.request()).text).toBe("version=pushed-while-away\n");
    await expectDeployedOnce();
  });

  it("repository behind a git daemon that ends: stale over a restart, and what was pushed meanwhile is found", async () => {
    const port = await freePort();
    const daemon = await startGitDaemon(world.dir, port);
    world.pipeline(
      `"team/hello": from(git("git://127.0.0.1:${port}/hello.git"), docker("Dockerfile", {
         live: publish("${world.image}:live", swarm(here, "${world.service()}")) })),`,
    );
    const builds = await count("docker-build");
    await world.server.kill();
    await world.serve();
    await world.server.waitFor("all is as it was", ({ services }) => services.every(({ state }) => state === "ok"));
    await end(daemon);
    await world.server.kill();
    const server = await world.serve();
    await server.waitFor("the heads are stale, and known", (now) => {
      const node = heads(now);
      return node?.state === "ok" && node.staleSince !== undefined;
    });
    await server.waitFor("what is known still runs", ({ services }) => services.every(({ state }) => state === "ok"));
    const { commit } = world.push(await sample("pushed-behind-daemon"));
    const again = await startGitDaemon(world.dir, port);
    await server.rolledOut(commit);
    await end(again);
    await expectDeployedOnce();
    expect(await count("docker-build")).toBe(builds + 1);
  });

  const count = async (op: string): Promise<number> => (await world.server.jobs(op)).length;
});

/** A git daemon without a wrapper around it, so that a signal ends all of it. */
async function startGitDaemon(dir: string, port: number): Promise<ChildProcess> {
  const program = join(execFileSync("git", ["--exec-path"], { encoding: "utf8" }).trim(), "git-daemon");
  const where = ["--reuseaddr", "--listen=127.0.0.1", `--port=${port}`, `--base-path=${dir}`];
  const child = spawn(program, ["--export-all", ...where], { stdio: "ignore" });
  const stopWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", stopWithUs);
  child.once("exit", () => process.off("exit", stopWithUs));
  await until("the git daemon answers", 10_000, () => {
    try {
      execFileSync("git", ["ls-remote", `git://127.0.0.1:${port}/hello.git`], { stdio: "ignore", timeout: 3_000 });
      return true;
    } catch {
      return false;
    }
  });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
