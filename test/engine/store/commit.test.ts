import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { VirtualTimeScheduler } from "rxjs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { memoryStore } from "../../../src/engine/store/open.ts";
import { StoreRefused } from "../../../src/engine/store/store.ts";
import { event, intentRow, jobRow, opened, temporaryDirectory } from "./support.ts";

const connections: Sqlite.Database[] = [];
afterEach(() => {
  for (const db of connections.splice(0)) db.close();
});
function aside(dir: string): Sqlite.Database {
  const db = new Sqlite(`${dir}/millrace.db`);
  connections.push(db);
  return db;
}

describe.each(["inline", "thread"] as const)("%s writer", (writer) => {
  test("many commits at once are few transactions, and reads see them", async () => {
    const { store } = await opened(temporaryDirectory(), { writer });
    const ids = Array.from({ length: 300 }, (_, index) => index + 1);
    await Promise.all(ids.map((id) => store.commit([{ put: "event", row: event(id) }])));
    expect(store.queries.events(ids)).toHaveLength(300);
    expect(store.counts.batches).toBe(300);
    expect(store.counts.transactions).toBeLessThanOrEqual(3);
  });

  test("what was committed is there after a restart, under a larger epoch", async () => {
    const dir = temporaryDirectory();
    const first = await opened(dir, { writer });
    await first.store.commit([{ put: "event", row: event(1) }]);
    expect(first.store.epoch).toBe(1);
    await first.store.close();
    const second = await opened(dir, { writer });
    expect(second.store.queries.lastEventId()).toBe(1);
    expect(second.store.epoch).toBe(2);
  });

  test("a batch that breaks a constraint is refused as a whole, and alone", async () => {
    const { store, fatal } = await opened(temporaryDirectory(), { writer });
    const batches = [
      store.commit([{ put: "intent", row: intentRow("i1") }]),
      store.commit([
        { put: "event", row: event(1) },
        { put: "intent", row: intentRow("i2", { state: "unknown" }) },
      ]),
      store.commit([{ put: "event", row: event(2) }]),
    ];
    const outcomes = await Promise.allSettled(batches);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await expect(batches[1]).rejects.toThrow(StoreRefused);
    await expect(batches[1]).rejects.toThrow(/intent\.lane/);
    expect(store.queries.openIntents().map((row) => row.id)).toEqual(["i1"]);
    expect(store.queries.events([1, 2])).toEqual([event(2)]);
    expect(store.counts.transactions).toBe(1);
    expect(fatal).toEqual([]);
  });

  test("a job that moves on within a group is written once, newest, in the order of births", async () => {
    const { store } = await opened(temporaryDirectory(), { writer });
    const [a, b] = [jobRow("2026-11-21/070000-build-a"), jobRow("2026-11-21/070000-build-b")];
    const rows = [a, b, { ...b, state: "running" as const, startedMs: 5 }, { ...a, state: "running" as const }];
    await Promise.all([...rows, { ...a, state: "waiting" as const }].map((row) => store.commit([{ put: "job", row }])));
    expect(store.queries.jobs({})).toEqual([
      { ...b, state: "running", startedMs: 5 },
      { ...a, state: "waiting" },
    ]);
    expect(store.counts.transactions).toBe(1);
  });

  test("a job's row that comes with something refused is not taken for its newest", async () => {
    const { store } = await opened(temporaryDirectory(), { writer });
    const job = jobRow("2026-11-21/070000-deploy-a");
    await store.commit([{ put: "intent", row: intentRow("i1") }]);
    const batches = [
      store.commit([{ put: "job", row: job }]),
      store.commit([
        { put: "job", row: { ...job, state: "running" } },
        { put: "intent", row: intentRow("i2") },
      ]),
      store.commit([{ put: "event", row: event(1) }]),
    ];
    const outcomes = await Promise.allSettled(batches);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(store.queries.job(job.id)).toEqual(job);
    expect(store.queries.events([1])).toEqual([event(1)]);
  });

  test("one batch may end an intent and open the next of its lane", async () => {
    const { store } = await opened(temporaryDirectory(), { writer });
    await store.commit([{ put: "intent", row: intentRow("i1", { state: "applied" }) }]);
    await store.commit([
      { put: "intent", row: intentRow("i1", { state: "verified", endedMs: 2 }) },
      { put: "intent", row: intentRow("i2") },
    ]);
    expect(store.queries.openIntents().map((row) => row.id)).toEqual(["i2"]);
  });

  test("flush and close wait for what was committed before", async () => {
    const dir = temporaryDirectory();
    const { store } = await opened(dir, { writer });
    const seen: string[] = [];
    void store.commit([{ put: "event", row: event(1) }]).then(() => seen.push("commit"));
    await store.flush();
    seen.push("flush");
    void store.commit([{ put: "event", row: event(2) }]).then(() => seen.push("last"));
    await store.close();
    expect(seen).toEqual(["commit", "flush", "last"]);
    expect(aside(dir).prepare("SELECT count(*) AS n FROM event").get()).toEqual({ n: 2 });
  });

  test("a process whose epoch was taken ends, and nothing of it is written", async () => {
    const dir = temporaryDirectory();
    const { store, fatal } = await opened(dir, { writer });
    aside(dir).exec("UPDATE epoch SET n = n + 1, owner = 'a later one'");
    const late: string[] = [];
    void store.commit([{ put: "event", row: event(1) }]).then(
      () => late.push("done"),
      () => late.push("failed"),
    );
    await expect.poll(() => fatal.map((error) => error.code)).toEqual(["EPOCH_LOST"]);
    void store.commit([]).finally(() => late.push("done"));
    void store.flush().finally(() => late.push("flushed"));
    await store.close();
    expect(late).toEqual([]);
    expect(aside(dir).prepare("SELECT count(*) AS n FROM event").get()).toEqual({ n: 0 });
    expect(fatal).toHaveLength(1);
  });
});

test("a writer's thread that cannot open the database ends the process, and nothing is taken for written", async () => {
  const dir = temporaryDirectory();
  const { store, fatal } = await opened(dir, { writer: "thread" });
  // before the thread has come up; if it was faster, it finds out with the first write
  renameSync(join(dir, "millrace.db"), join(dir, "gone.db"));
  mkdirSync(join(dir, "millrace.db"));
  let written = false;
  void store.commit([{ put: "event", row: event(1) }]).then(() => (written = true));
  await vi.waitFor(() => expect(fatal).toHaveLength(1), { timeout: 30_000 });
  expect(fatal[0]?.code).toMatch(/^STATE_(NOT_WRITABLE|REPLACED)$/);
  await store.close();
  expect([fatal.length, written]).toEqual([1, false]);
});

describe("what nobody waits for", () => {
  const slow = async () => {
    const scheduler = new VirtualTimeScheduler();
    const { store } = await opened(temporaryDirectory(), { writer: "thread", clock: createClock(scheduler) });
    return { scheduler, store };
  };

  test("goes with the next commit, before it, in one transaction", async () => {
    const { scheduler, store } = await slow();
    const first = store.commit([{ put: "event", row: event(1) }], true);
    const second = store.commit([{ put: "event", row: { ...event(1), detail: "again" } }]);
    expect(scheduler.actions.map(({ delay }) => delay)).toEqual([3]);
    scheduler.flush();
    await Promise.all([first, second]);
    expect(store.queries.events([1])).toEqual([event(1, "again")]);
    expect(store.counts).toEqual({ batches: 2, transactions: 1 });
  });

  test("is written alone after a while", async () => {
    const { scheduler, store } = await slow();
    const written = store.commit([{ put: "event", row: event(1) }], true);
    const other = store.commit([{ put: "event", row: event(2) }], true);
    expect(scheduler.actions.map(({ delay }) => delay)).toEqual([100]);
    scheduler.flush();
    await Promise.all([written, other]);
    expect(store.queries.events([1, 2])).toEqual([event(1), event(2)]);
    expect(store.counts.transactions).toBe(1);
  });

  test("is waited for by a flush", async () => {
    const { scheduler, store } = await slow();
    void store.commit([{ put: "event", row: event(1) }], true);
    const flushed = store.flush();
    expect(scheduler.actions.map(({ delay }) => delay)).toEqual([3]);
    scheduler.flush();
    await flushed;
    expect(store.queries.events([1])).toEqual([event(1)]);
  });
});

describe("memory", () => {
  test("a commit is not visible before it is asynchronous, and is one transaction a burst", async () => {
    const store = memoryStore();
    const both = [1, 2].map((id) => store.commit([{ put: "event", row: event(id) }]));
    expect(store.queries.lastEventId()).toBe(0);
    await Promise.all(both);
    expect(store.queries.lastEventId()).toBe(2);
    expect(store.counts).toEqual({ batches: 2, transactions: 1 });
  });

  test("what is not JSON is a mistake of its own batch only", async () => {
    const store = memoryStore();
    const good = store.commit([{ put: "event", row: event(1) }]);
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    // @ts-expect-error -- not JSON
    await expect(store.commit([{ put: "setting", row: { name: "x", value: cyclic } }])).rejects.toThrow(TypeError);
    await good;
  });

  test("a closed store says so", async () => {
    const store = memoryStore();
    await store.close();
    await store.close();
    await expect(store.commit([])).rejects.toThrow("closed");
  });
});
