// Two servers on one state directory while changes are under way: a second one refuses; one that was stopped while its
// lock was taken away changes nothing any more.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isUpdate } from "../kill/accounts.ts";
import { dockerfileOf } from "../kill/place.ts";
import { dockerHost } from "../support/need.ts";
import { type Held, type RecordingProxy, recordEngine } from "../support/recording-proxy.ts";
import { hasParts, startWorld, type World } from "./rig.ts";
import type { Server } from "./server.ts";
import { until } from "./until.ts";

const SERVICES = ["a", "b", "c"];
const END_MS = 60_000;

describe.skipIf(!hasParts)("a second server, during a roll-out", () => {
  let engine: RecordingProxy;
  let world: World;
  beforeEach(async () => {
    engine = await recordEngine(dockerHost);
    world = await startWorld({ services: SERVICES, tiny: true, monitorSec: 2, engine: engine.address });
    await world.serve();
    await world.server.rolledOut(await push("first"));
  });
  afterEach(async () => {
    await world.close();
    await engine.dispose();
  });

  const push = async (version: string): Promise<string> =>
    world.push({ Dockerfile: await dockerfileOf(version) }).commit;

  /** A roll-out with an intent of each sort: its write on the way, in but not known to be in, and recorded as in. */
  async function midway(): Promise<readonly Held[]> {
    const held = [engine.hold("request", isUpdate), engine.hold("answer", isUpdate)];
    await push("midway");
    await Promise.all(held.map(({ arrived }) => arrived));
    await until("the third change is recorded", END_MS, async () => {
      const states = (await world.server.history()).filter(({ kind }) => kind === "swarm").map(({ state }) => state);
      return states.slice(0, SERVICES.length).some((state) => state === "applied" || state === "verified");
    });
    return held;
  }
  const open = async (): Promise<readonly string[]> =>
    (await world.server.history()).filter(({ ended }) => ended === undefined).map(({ state }) => state);

  /** Stops the server, and takes its lock away as an operator does who is in a hurry. */
  function stop(server: Server): void {
    process.kill(server.pid, "SIGSTOP");
    for (const name of ["lock.db", "lock.json"]) rmSync(join(world.dir, "state", name));
  }

  /** Everything that a server could have changed. */
  const everything = async (server: Server) => ({
    services: await Promise.all(SERVICES.map((short) => world.now(short))),
    tasks: await Promise.all(SERVICES.map(async (short) => (await world.tasks(short)).map(({ id }) => id).toSorted())),
    tag: await world.digestOf("live"),
    history: await server.history(),
    jobs: await server.jobs(),
  });

  /** Tasks that were ever made for the newest image, of each service. */
  const made = async (): Promise<readonly number[]> => {
    const digest = (await world.digestOf("live")) ?? "none";
    const tasks = await Promise.all(SERVICES.map((short) => world.tasks(short)));
    return tasks.map((all) => all.filter(({ image }) => image.endsWith(digest)).length);
  };

  it("is refused, and the first goes on", async () => {
    const held = await midway();
    const second = await world.command("serve", "--port", "0", "--state", "state");
    expect(second.code).toBe(73);
    expect(second.err).toContain(`is in use by process ${world.server.pid} on `);
    expect((await open()).filter((state) => state === "planned")).toHaveLength(held.length);
    for (const one of held) one.release();
    await world.server.waitFor("all is as wanted", ({ services }) => services.every(({ state }) => state === "ok"));
    expect(await made()).toEqual([1, 1, 1]);
  });

  it("works after the lock was taken away: the first, continued later, changes nothing and ends", async () => {
    const first = world.server;
    const held = await midway();
    stop(first);
    const second = await world.serve();
    await second.rolledOut(await push("by-the-second"));
    for (const one of held) one.release();
    await until("the late updates are answered", END_MS, () => engine.answered(isUpdate) === updates());
    const [before, sent] = [await everything(second), updates()];
    process.kill(first.pid, "SIGCONT");
    await expectLost(first);
    expect(await everything(second)).toEqual(before);
    expect(updates()).toBe(sent);
    expect(await made()).toEqual([1, 1, 1]);
    await second.rolledOut(await push("by-the-second-again"));
  });

  it("works after the lock was taken away: the first, continued in the midst of it, changes nothing and ends", async () => {
    const first = world.server;
    const held = await midway();
    stop(first);
    const second = await world.serve();
    const commit = await push("by-the-second");
    await until("the second has an intent open", END_MS, async () => (await open()).length > 0);
    process.kill(first.pid, "SIGCONT");
    for (const one of held) one.release();
    await second.rolledOut(commit);
    await expectLost(first);
    expect(await made()).toEqual([1, 1, 1]);
    expect(await open()).toEqual([]);
    expect(new Set((await second.services()).map(({ state }) => state))).toEqual(new Set(["ok"]));
    await second.rolledOut(await push("by-the-second-again"));
  });

  const updates = (): number => engine.requests.filter(isUpdate).length;
});

async function expectLost(first: Server): Promise<void> {
  const lost = (): boolean => first.output().includes("was taken over by a later one");
  await until("the first notices", END_MS, lost, () => first.output());
  expect(await first.ended).toBe(70);
  expect(first.output()).not.toMatch(/^ {4}at /m);
}
