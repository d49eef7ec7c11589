import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { opened, refusal, temporaryDirectory } from "../engine/store/support.ts";
import { need, programOf } from "../support/need.ts";
import { mayCutPower, powerDisk } from "../support/power.ts";

const CHILD = fileURLToPath(new URL("../support/store-child.ts", import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Until so many lines were said, or its end. */
  said(count: number): Promise<void>;
  readonly ended: Promise<number | null>;
}

/** Runs the child that writes for ever; `before` goes in front of the command. */
function start(dir: string, before: readonly string[] = []): Running {
  const [program, ...args] = [...before, process.execPath, "--import", "tsx", CHILD, dir];
  // in a group of its own: a tracer that is killed alone lets its child go on
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"], detached: true });
  onTestFinished(() => killGroup(child));
  const lines: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const check = (end = false): void => {
    for (const one of waiting) if (end || lines.length >= one.count) one.resolve();
  };
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    lines.push(line);
    check();
  });
  const ended = Promise.all([once(child, "exit"), once(reader, "close")]).then(() => {
    check(true);
    return child.exitCode;
  });
  const said = (count: number): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ count, resolve });
      check();
    });
  return { child, lines, said, ended };
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // all of it has ended
  }
}

test("kill -9 while writing loses no row that was acknowledged, and frees the lock", async () => {
  const dir = temporaryDirectory();
  for (const lines of [2, 15, 40, 90]) {
    const writer = start(dir);
    await writer.said(lines);
    writer.child.kill("SIGKILL");
    await writer.ended;
    expect(writer.lines[0]).toBe("open");
    const acknowledged = writer.lines.slice(1).map(Number);
    const { store } = await opened(dir, { writer: "thread" });
    expect(store.queries.events(acknowledged)).toHaveLength(acknowledged.length);
    expect(store.queries.lastEventId()).toBeLessThanOrEqual((acknowledged.at(-1) ?? 0) + 1);
    await store.close();
  }
});

test("a second process is refused, naming the first", async () => {
  const dir = temporaryDirectory();
  const first = start(dir);
  await first.said(1);
  const second = start(dir);
  await expect(second.ended).resolves.toBe(1);
  expect(second.lines).toEqual(["STATE_IN_USE"]);
  const refused = await refusal(dir);
  expect(refused.code).toBe("STATE_IN_USE");
  expect(refused.message).toContain(`process ${first.child.pid} on `);
});

/** What a WAL of a killed process is left as; the database itself was not touched since it was opened. */
async function killedWith(dir: string, lines: number): Promise<readonly number[]> {
  const writer = start(dir);
  await writer.said(lines);
  writer.child.kill("SIGKILL");
  await writer.ended;
  return writer.lines.slice(1).map(Number);
}

test("a log of the database that is cut off, torn or gone: what is left is whole, without a gap", async () => {
  const dir = temporaryDirectory();
  await (await opened(dir)).store.close();
  const acknowledged = await killedWith(dir, 40);
  const names = ["millrace.db", "millrace.db-wal"];
  const sound = names.map((name) => readFileSync(join(dir, name)));
  const [, wal = Buffer.alloc(0)] = sound;
  const torn = (at: number): Buffer => Buffer.concat([wal.subarray(0, at), Buffer.alloc(wal.length - at, 0x5a)]);
  const cuts = [0, 1, 31, 32, 33, 4_000, 30_000, 100_000, wal.length - 1].filter((at) => at < wal.length);
  const left: number[] = [];
  for (const content of [...cuts.map((at) => wal.subarray(0, at)), ...cuts.map(torn), undefined, wal]) {
    for (const [index, name] of names.entries()) writeFileSync(join(dir, name), sound[index] ?? "");
    rmSync(join(dir, "millrace.db-shm"), { force: true });
    if (content === undefined) rmSync(join(dir, "millrace.db-wal"));
    else writeFileSync(join(dir, "millrace.db-wal"), content);
    const { store } = await opened(dir);
    const last = store.queries.lastEventId();
    const all = Array.from({ length: last }, (_, at) => at + 1);
    expect(store.queries.events(all)).toHaveLength(last);
    left.push(last);
    await store.close();
  }
  expect(left.at(-1)).toBeGreaterThanOrEqual(acknowledged.length);
  expect(new Set(left).size).toBeGreaterThan(3);
});

test.skipIf(!mayCutPower())("a power cut loses no row that was acknowledged", async () => {
  for (const lines of [3, 25, 60]) {
    const disk = await powerDisk(64);
    onTestFinished(() => disk.dispose());
    const dir = join(disk.dir, "state");
    const writer = start(dir);
    await writer.said(lines);
    await disk.cut();
    killGroup(writer.child);
    await writer.ended;
    disk.restore();
    const acknowledged = writer.lines.filter((line) => /^\d+$/.test(line)).map(Number);
    expect(acknowledged.length).toBeGreaterThanOrEqual(lines - 1);
    const { store } = await opened(dir);
    expect(store.queries.events(acknowledged)).toHaveLength(acknowledged.length);
    await store.close();
  }
});

describe.skipIf(!need("strace"))("a disk that answers with errors", () => {
  test.each([
    { calls: "fsync,fdatasync", error: "EIO", nth: 1, when: "at the start", code: 1 },
    { calls: "fsync,fdatasync", error: "EIO", nth: 6, when: "while it writes", code: 70 },
    { calls: "fsync,fdatasync", error: "EIO", nth: 15, when: "later", code: 70 },
    { calls: "pwrite64", error: "EROFS", nth: 60, when: "mounted read only while it writes", code: 70 },
  ])("ends the process, nothing acknowledged after it: $error $when", async ({ calls, error, nth, code }) => {
    const dir = temporaryDirectory();
    await (await opened(dir)).store.close();
    const inject = `inject=${calls}:error=${error}:when=${nth}+`;
    const writer = start(dir, [
      programOf("strace"),
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      `trace=${calls}`,
      "-e",
      inject,
    ]);
    const exit = await writer.ended;
    expect([writer.lines.at(-1), exit]).toEqual(["STATE_IO", code]);
    expect(writer.lines.includes("open")).toBe(code === 70);
    const acknowledged = writer.lines.filter((line) => /^\d+$/.test(line)).map(Number);
    const { store } = await opened(dir);
    expect(store.queries.events(acknowledged)).toHaveLength(acknowledged.length);
  });
});
