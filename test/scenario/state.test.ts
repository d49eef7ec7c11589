// The state directory: its disk is full, its database is damaged, somebody else has it.
import { closeSync, existsSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerHost, need } from "../support/need.ts";
import { type RecordingProxy, recordEngine, recordRegistry } from "../support/recording-proxy.ts";
import { startRegistry } from "../support/registry.ts";
import { fillDisk, mayMount, mountDisk } from "../support/tmpfs.ts";
import { startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import { until } from "./until.ts";

const parts = need("swarm") && need("registry") && need("git") && need("busybox");
const FREED_MS = 30_000;

describe.skipIf(!(parts && mayMount()))("a full disk under the state directory", () => {
  let engine: RecordingProxy;
  let registry: RecordingProxy;
  let world: World;
  let unmount: () => void;

  beforeAll(async () => {
    engine = await recordEngine(dockerHost);
    const real = await startRegistry();
    registry = await recordRegistry(real.host);
    world = await startWorld({ monitorSec: 1, engine: engine.address, registry: real, registryHost: registry.address });
    unmount = mountDisk(join(world.dir, "state"), "size=32m");
  });
  afterAll(async () => {
    await world.server.kill("SIGKILL");
    unmount();
    await world.close();
    await engine.dispose();
    await registry.dispose();
  });

  const filler = (): string => join(world.dir, "state/filler");
  const page = async (path: string): Promise<string> => (await fetch(`${world.server.url}${path}`)).text();

  it("at the start: a message and an exit code", async () => {
    fillDisk(filler());
    const ended = await world.command("serve", "--port", "0", "--state", "state");
    expect([ended.code, ended.out]).toEqual([73, ""]);
    expect(ended.err).toMatch(/^millrace: .*state.*full.*\n {2}Free space .*\n$/i);
    rmSync(filler());
  });

  it("while serving: a banner, 503 for what must be stored, pages, no new effect; goes on when there is room", async () => {
    const server = await world.serve();
    await server.rolledOut(world.push(await sample("before-full")).commit);
    const [job] = await server.jobs("swarm");
    fillDisk(filler());
    const writes = [engine.writes().length, registry.writes().length];
    const { commit } = world.push(await sample("pushed-when-full"));
    await until("the banner is there", 30_000, async () =>
      (await page("/")).includes("The disk of the state directory is full"),
    );
    for (const path of ["/", "/jobs", `/job/${job?.id ?? ""}`, "/query", "/healthz"])
      expect([path, (await fetch(`${server.url}${path}`)).status]).toEqual([path, 200]);
    expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
    expect(await server.api("banners")).toMatchObject([{ code: "STORE_FULL", level: "error" }]);
    const refused = await server.act("POST", `jobs/${job?.id ?? ""}/rebuild`);
    expect(refused).toMatchObject({ status: 503, body: { code: "STORE_FULL" } });
    expect(await server.act("PUT", "confirm", { threshold: "dangerous" })).toMatchObject({ status: 503 });
    expect([engine.writes().length, registry.writes().length]).toEqual(writes);
    expect((await world.request()).text).toBe("version=before-full\n");
    rmSync(filler());
    await until("the banner goes", FREED_MS, async () => !(await page("/")).includes("disk of the state directory"));
    expect(await server.api("banners")).toEqual([]);
    await server.rolledOut(commit);
    expect((await world.request()).text).toBe("version=pushed-when-full\n");
    expect((await server.act("PUT", "confirm", { threshold: "none" })).status).toBe(200);
  });

  it("during a roll-out: the update is followed, its ending is kept, nothing is sent twice", async () => {
    const { server } = world;
    const updates = (): number =>
      engine.requests.filter(({ method, path }) => method === "POST" && path.includes("/update")).length;
    const before = updates();
    const { commit } = world.push(await sample("filled-while-rolling"));
    const deploy = await until("the update is in", 30_000, async () =>
      (await server.history()).find(({ kind, state }) => kind === "swarm" && state === "applied"),
    );
    fillDisk(filler());
    await until(
      "the new version answers",
      30_000,
      async () => (await world.request()).text === "version=filled-while-rolling\n",
    );
    rmSync(filler());
    await server.rolledOut(commit);
    expect((await server.history()).find(({ id }) => id === deploy.id)).toMatchObject({ state: "verified" });
    expect(updates() - before).toBe(1);
  });
});

describe.skipIf(!parts)("a state directory", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ monitorSec: 1 });
    await world.serve();
    await world.server.rolledOut(world.push(await sample("first")).commit);
    await world.server.kill();
  });
  afterAll(() => world.close());

  const serve = (...flags: string[]) => world.command("serve", "--port", "0", "--state", "state", ...flags);

  it.each([
    ["damaged in the middle", (path: string): void => overwrite(path, 4_096, 8_192)],
    ["cut off", (path: string): void => truncateSync(path, 5_000)],
    ["no database at all", (path: string): void => writeFileSync(path, "I am a letter to my aunt.\n".repeat(400))],
  ])("with a database that is %s is refused", async (_, harm) => {
    const path = join(world.dir, "state/millrace.db");
    const sound = readFileSync(path);
    harm(path);
    const ended = await serve();
    writeFileSync(path, sound);
    expect([ended.code, ended.out]).toEqual([70, ""]);
    expect(ended.err).toMatch(
      /^millrace: the database is damaged: .*state\/millrace\.db: .*\n {2}Restore a backup .*\n$/,
    );
  });

  it("in use by another process is refused, by its number", async () => {
    const first = await world.serve();
    const ended = await serve();
    expect(ended.code).toBe(73);
    expect(ended.err).toMatch(
      new RegExp(
        `^millrace: state directory .*state is in use by process ${first.pid} on .*\n  Stop the process that is named, .*\n$`,
      ),
    );
    expect(ended.out).toBe("");
    await first.kill();
  });

  it("is let go when the port is taken", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, "127.0.0.1", () => {
        const address = other.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const ended = await serve("--port", String(port));
    other.close();
    expect(ended.code).toBe(73);
    expect(ended.err).toMatch(
      new RegExp(
        `^millrace: port ${port} of 127\\.0\\.0\\.1 is in use .*\n  Stop the process that listens there, .*\n$`,
      ),
    );
    await world.serve();
    await world.server.kill();
    expect(existsSync(join(world.dir, "state/lock.json"))).toBe(false);
  });

  it("taken over while its server was stopped: the late one ends without changing anything", async () => {
    const first = await world.serve();
    await first.waitFor("all is as wanted", ({ services }) => services.every(({ state }) => state === "ok"));
    process.kill(first.pid, "SIGSTOP");
    // What an operator who is in a hurry does: the lock's files are removed by hand.
    for (const name of ["lock.db", "lock.json"]) rmSync(join(world.dir, "state", name));
    const second = await world.serve();
    await second.rolledOut(world.push(await sample("by-the-second")).commit);
    const [service, history, jobs] = [await world.now(), await second.history(), await second.jobs()];
    process.kill(first.pid, "SIGCONT");
    const lost = (): boolean => first.output().includes("was taken over by a later one");
    await until("the first notices", 60_000, lost, () => first.output());
    expect(await first.ended).toBe(70);
    expect(first.output()).not.toMatch(/^ {4}at /m);
    expect(await world.now()).toEqual(service);
    expect(await second.history()).toEqual(history);
    expect(await second.jobs()).toEqual(jobs);
    await second.rolledOut(world.push(await sample("by-the-second-again")).commit);
  });
});

function overwrite(path: string, from: number, bytes: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(bytes, 0x5a), 0, bytes, from);
  closeSync(file);
}
