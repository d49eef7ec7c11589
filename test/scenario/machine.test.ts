// The machine below Millrace: its disks, its file handles, its clock, its attention.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isUpdate } from "../kill/accounts.ts";
import { dockerfileOf } from "../kill/place.ts";
import { dockerHost, need, programOf } from "../support/need.ts";
import { type RecordingProxy, recordEngine } from "../support/recording-proxy.ts";
import { fillDisk, mayMount, mountDisk } from "../support/tmpfs.ts";
import { hasParts, startWorld, type World } from "./rig.ts";
import type { Deploy, Server } from "./server.ts";
import { until } from "./until.ts";

describe.skipIf(!hasParts)("the machine", () => {
  let engine: RecordingProxy;
  let world: World;

  beforeAll(async () => {
    engine = await recordEngine(dockerHost);
    world = await startWorld({ tiny: true, monitorSec: 1, engine: engine.address });
    await world.serve();
    await rolledOut("first");
  });
  afterAll(async () => {
    await world.close();
    await engine.dispose();
  });

  const state = (): string => join(world.dir, "state");
  const updates = (): number => engine.requests.filter(isUpdate).length;
  const sent = (): number => engine.writes().length;
  const push = async (version: string) => world.push({ Dockerfile: await dockerfileOf(version) });
  const rolledOut = async (version: string) => world.server.rolledOut((await push(version)).commit);

  /** Everything that was wanted has run, one update each, and the newest runs. */
  async function expectOnce(before: number, times: number): Promise<void> {
    expect(updates() - before).toBe(times);
    expect((await world.now()).image).toContain((await world.digestOf("live")) ?? "no such digest");
  }

  const applied = (): Promise<Deploy> =>
    until("the update is in", 30_000, async () =>
      (await world.server.history()).find(({ kind, state: is }) => kind === "swarm" && is === "applied"),
    );

  it.skipIf(!mayMount())(
    "a disk for the logs alone that is full: jobs go on, the gap is marked, all else is kept",
    async () => {
      const before = updates();
      const logs = join(state(), "job");
      const unmount = mountDisk(logs, "size=1m");
      try {
        fillDisk(join(logs, "filler"));
        const { jobs } = await rolledOut("no-room-for-logs");
        expect(await world.server.api("banners")).toEqual([]);
        await expectOnce(before, 1);
        const ended = jobs.find(({ op }) => op === "swarm");
        expect(await world.server.job(ended?.id ?? "")).toMatchObject({ state: "ok" });
        const url = `${world.server.url}/job/${ended?.id ?? ""}`;
        expect((await fetch(url)).status).toBe(200);
        const held = engine.hold("answer", isUpdate);
        const { commit } = await push("room-for-logs-again");
        await held.arrived;
        const [job] = await world.server.jobs("swarm");
        expect(await world.server.log(job?.id ?? "")).toBe(""); // to be read it is written first
        rmSync(join(logs, "filler"));
        held.release();
        await world.server.rolledOut(commit);
        expect(await world.server.log(job?.id ?? "")).toMatch(/\d+ bytes are missing here: ENOSPC\n[^]*Job succeeded/);
        await expectOnce(before, 2);
      } finally {
        unmount();
      }
    },
  );

  it("no file handle left: nothing ends, nothing is taken for gone, and it goes on by itself", async () => {
    const before = updates();
    const { server } = world;
    const open = readdirSync(`/proc/${server.pid}/fd`).length;
    const usual = /Max open files +(\d+)/.exec(readFileSync(`/proc/${server.pid}/limits`, "utf8"))?.[1] ?? "";
    const limit = (count: string | number): void =>
      void execFileSync("prlimit", ["--pid", `${server.pid}`, `--nofile=${count}:`]);
    limit(open + 3);
    const callers = await Promise.all(Array.from({ length: 40 }, () => call(server)));
    const { commit } = await push("no-handles");
    // Over the connection that is open anyway: there is no handle for another one.
    await server.waitFor("git cannot be run", ({ graph }) =>
      graph.nodes.some(({ state: is, detail }) => is === "ok" && detail.includes("cannot run git: spawn git EMFILE")),
    );
    limit(usual);
    for (const caller of callers) caller.destroy();
    const now = await server.rolledOut(commit);
    expect(now.graph.nodes.some(({ staleSince }) => staleSince !== undefined)).toBe(false);
    await expectOnce(before, 1);
  });

  it("stopped for a while in the middle of a roll-out: it goes on where it was", async () => {
    const before = updates();
    const { commit } = await push("stood-still");
    await applied();
    process.kill(world.server.pid, "SIGSTOP");
    await until("Swarm goes on by itself", 30_000, async () => (await world.now()).update === "completed");
    process.kill(world.server.pid, "SIGCONT");
    const { services } = await world.server.rolledOut(commit);
    expect(services.map(({ state: is }) => is)).toEqual(["ok", "ok"]);
    await expectOnce(before, 1);
  });

  it.skipIf(!need("strace"))(
    "a disk that answers with errors: it ends before another effect, and goes on after the restart",
    async () => {
      const before = updates();
      const tracer = await trace(world.server.pid, "inject=fsync,fdatasync:error=EIO");
      const atMost = sent();
      const { commit } = await push("io-error");
      expect(await endOf(world.server)).toBe(70);
      expect(world.server.output()).toMatch(
        /millrace: .*millrace\.db: disk I\/O error \(SQLITE_IOERR_FSYNC\)\n {2}Check /,
      );
      expect(sent()).toBe(atMost);
      await ended(tracer);
      await world.serve();
      await world.server.rolledOut(commit);
      await expectOnce(before, 1);
    },
  );

  it("a database that is deleted while it is used: it ends before another effect", async () => {
    await world.server.kill();
    cpSync(state(), join(world.dir, "backup"), { recursive: true });
    const server = await world.serve();
    await server.waitFor("all is as wanted", ({ services }) => services.every((one) => one.state === "ok"));
    for (const name of ["millrace.db", "millrace.db-wal"]) rmSync(join(state(), name));
    const atMost = sent();
    await push("no-database");
    expect(await endOf(server)).toBe(70);
    expect(server.output()).toContain("millrace.db was deleted or replaced while it was in use");
    expect(sent()).toBe(atMost);
    restore();
  });

  function restore(): void {
    rmSync(state(), { recursive: true });
    cpSync(join(world.dir, "backup"), state(), { recursive: true });
  }

  it("an older backup: what is on the target is newer, so it is held, and said; adopt goes on from there", async () => {
    await world.serve();
    await rolledOut("since-the-backup");
    await rolledOut("since-the-backup-too");
    await world.server.kill("SIGKILL");
    restore();
    const [before, service] = [updates(), await world.now()];
    await world.serve();
    const held = await world.server.waitFor("it is held", ({ services }) =>
      services.find(({ kind, detail }) => kind === "swarm" && detail.includes("is held: its receipt is of")),
    );
    expect([held.state, updates() - before, (await world.now()).version]).toEqual(["failed", 0, service.version]);
    const adopt = await world.command("adopt", held.term, "--state", "state");
    expect([adopt.err, adopt.code]).toEqual(["", 0]);
    await world.server.waitFor("all is as wanted", ({ services }) => services.every((one) => one.state === "ok"));
    expect(updates()).toBe(before);
    await rolledOut("after-adopting");
    await expectOnce(before, 1);
  });

  it.skipIf(!need("faketime"))(
    "a clock that is wrong at the start, put back, put forward: no storm, nothing twice",
    async () => {
      await world.server.kill();
      const file = join(world.dir, "clock");
      const clock = (text: string): void => writeFileSync(file, `${text}\n`);
      clock("@1970-01-02 00:00:00");
      await world.start({ env: fakeClock(file) });
      const { server } = world;
      const before = updates();
      await rolledOut("in-1970");
      const jobs = await server.jobs();
      expect(jobs[0]?.id).toMatch(/^1970-01-02\/0000/);
      for (const [version, jump] of [
        ["an-hour-back", "-1h"],
        ["a-day-on", "+24h"],
      ] as const) {
        const { commit } = await push(version);
        await applied();
        const asked = engine.requests.length;
        clock(jump);
        await server.rolledOut(commit);
        expect(engine.requests.length - asked).toBeLessThan(200);
      }
      await expectOnce(before, 3);
      const born = (await server.jobs("swarm")).slice(0, 3).map(({ id }) => id.slice(0, 10));
      expect(new Set(born).size).toBeGreaterThan(1);
      expect(
        (await server.history())
          .filter(({ kind }) => kind === "swarm")
          .slice(0, 3)
          .map(({ state: is }) => is),
      ).toEqual(["verified", "verified", "verified"]);
      await world.server.kill();
      await world.serve();
      await world.server.waitFor("all is as wanted", ({ services }) => services.every((one) => one.state === "ok"));
      await expectOnce(before, 3);
    },
  );
});

/** Its exit code, once it has ended by itself. */
async function endOf(server: Server): Promise<number | null> {
  const gone = new Set<number>();
  void server.ended.then(() => gone.add(server.pid));
  await until(
    "it ends by itself",
    60_000,
    () => gone.size > 0,
    () => server.output(),
  );
  return server.ended;
}

/** A connection that asks for nothing and stays. */
async function call(server: Server): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  return socket;
}

/** Attaches to every thread of a process; resolves when it has. */
async function trace(pid: number, inject: string): Promise<ChildProcess> {
  const calls = inject.slice("inject=".length).split(":")[0] ?? "";
  const args = ["-f", "-p", `${pid}`, "-o", "/dev/null", "-e", `trace=${calls}`, "-e", inject];
  const tracer = spawn(programOf("strace"), args, { stdio: ["ignore", "ignore", "pipe"] });
  await once(tracer.stderr, "data");
  return tracer;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** The wall clock comes from a file; the one that nobody sets is left as it is. */
function fakeClock(file: string): Record<string, string> {
  const library = execFileSync("sh", ["-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"], { encoding: "utf8" }).trim();
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    FAKETIME_NO_CACHE: "1",
  };
}
