import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Secret } from "../../src/engine/secret.ts";
import { startWeb } from "../../src/web/server.ts";
import { type Figures, isRecord, type Task } from "../task.ts";
import { largeFlavour } from "./flavour.ts";
import { cpuMs } from "./meter.ts";

const BOXES = 500;
/** The time between two changes. */
const GAP_MS = 60;

/** A source changes while many pages are open: how long until each of them, in another process, has the new state. */
export async function measureStreams(task: Task): Promise<Figures> {
  const flavour = await largeFlavour(BOXES);
  const { view, clock, engine, repos } = flavour;
  const web = await startWeb({ view, clock, host: "127.0.0.1", port: 0, token: new Secret("bench-of-event-streams") });
  if (!web.ok) throw new Error(web.error.message);
  const changes = task.quick ? 20 : 60;
  const program = fileURLToPath(new URL("./watchers.js", import.meta.url));
  const argv = [program, web.value.url, String(task.size), String(changes)];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next(); // all are connected
  const cpu = cpuMs();
  for (let round = 0; round < changes; round++) {
    const now = `since ${process.hrtime.bigint()}`;
    engine.change({ kind: "poll", subject: "bench", detail: now }, () => repos[0]?.set(now));
    await pause(GAP_MS);
  }
  const serverCpuMs = (cpuMs() - cpu) / changes;
  const told: unknown = (await lines.next()).value;
  if (child.exitCode === null) await once(child, "exit");
  await web.value.close();
  return { ...figuresIn(told), serverCpuMs };
}

function figuresIn(line: unknown): Figures {
  const value: unknown = JSON.parse(typeof line === "string" ? line : "null");
  if (!isRecord(value)) throw new Error("the watchers told nothing");
  const { p50Ms, p99Ms, maxMs, missed } = value;
  if (typeof p50Ms !== "number" || typeof p99Ms !== "number") throw new Error("the watchers told no times");
  if (typeof maxMs !== "number" || typeof missed !== "number") throw new Error("the watchers told no times");
  return { p50Ms, p99Ms, maxMs, missed };
}
