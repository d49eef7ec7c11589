import { join } from "node:path";
import { performance } from "node:perf_hooks";
import Database from "better-sqlite3";
import type { EventRow } from "../../src/engine/store/store.ts";
import { percentile } from "../maths.ts";
import type { Figures, Task } from "../task.ts";
import { inDirectory, openState } from "./state.ts";

const CONNECTIONS = 50;
const PAYLOAD_BYTES = 20_000;

/** What makes one event durable. */
type Put = (event: EventRow) => Promise<void>;

/** Deliveries of 20 kB over 50 connections at once, each answered when it is durable; none may be lost. */
export async function measureBurst(task: Task): Promise<Figures> {
  return inDirectory(async (dir) => {
    const ours = await grouped(dir, task.size);
    const theirs = await oneByOne(join(dir, "single.db"), task.size);
    return { ...ours, ...theirs };
  });
}

async function grouped(dir: string, count: number): Promise<Figures> {
  const { store } = await openState(dir);
  const times = await deliver(count, (row) => store.commit([{ put: "event", row }]));
  const { transactions } = store.counts;
  const lost = count - store.queries.events(times.map((_, index) => index + 1)).length;
  await store.close();
  return { groupedMs: percentile(times, 0.99), groupedMedianMs: percentile(times, 0.5), transactions, lost };
}

/** The plain way: a commit an event, just as durable, on the thread that answers. */
async function oneByOne(path: string, count: number): Promise<Figures> {
  const db = new Database(path);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE event (id INTEGER PRIMARY KEY, at_ms INTEGER, kind TEXT, subject TEXT, detail TEXT)");
  const insert = db.prepare("INSERT INTO event VALUES (?, ?, ?, ?, ?)");
  const times = await deliver(count, async ({ id, atMs, kind, subject, detail }) => {
    insert.run(id, atMs, kind, subject, detail);
  });
  db.close();
  return { singleMs: percentile(times, 0.99), singleMedianMs: percentile(times, 0.5) };
}

/** How long each delivery waited, in milliseconds. A connection sends its next one when it has its answer. */
async function deliver(count: number, put: Put): Promise<readonly number[]> {
  const detail = "x".repeat(PAYLOAD_BYTES);
  const times: number[] = [];
  let next = 0;
  const connection = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const row = { id: next, atMs: 1_795_000_000_000, kind: "webhook", subject: "acme/app-1", detail };
      const start = performance.now();
      await new Promise(setImmediate); // as a request does, it comes in a turn of its own
      await put(row);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return times;
}
