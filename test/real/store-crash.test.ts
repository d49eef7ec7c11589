import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { opened, refusal, temporaryDirectory } from "../engine/store/support.ts";
import { need, programOf } from "../support/need.ts";

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

describe.skipIf(!need("strace"))("a disk that answers with errors", () => {
  test.each([
    { nth: 1, when: "at the start", code: 1 },
    { nth: 6, when: "while it writes", code: 70 },
    { nth: 15, when: "later", code: 70 },
  ])("ends the process, nothing acknowledged after it: $when", async ({ nth, code }) => {
    const dir = temporaryDirectory();
    await (await opened(dir)).store.close();
    const inject = `inject=fsync,fdatasync:error=EIO:when=${nth}+`;
    const writer = start(dir, [
      programOf("strace"),
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "trace=fsync,fdatasync",
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
