// What the outbox keeps grows with every commit that was ever checked: it has to be found, and forgotten, by an index.
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { migrations } from "../../../src/engine/store/migrations.ts";
import { databaseIn } from "../../../src/engine/store/open.ts";
import { createQueries } from "../../../src/engine/store/queries.ts";
import { openStoreReadOnly } from "../../../src/engine/store/read-only.ts";
import type { OutboxRow, Write } from "../../../src/engine/store/store.ts";
import { OUTBOX_FORGETS_MAX, writers } from "../../../src/engine/store/tables.ts";
import { opened, temporaryDirectory } from "./support.ts";

const row = (key: string, more: Partial<OutboxRow> = {}): Write => ({
  put: "outbox",
  row: { key, want: "x", confirmed: {}, tries: 0, nextMs: 0, wantedMs: 1, waitsSinceMs: 0, ...more },
});

/** The schema before the outbox knew how old its rows are. */
const BEFORE = 5;

describe("an outbox of an earlier version", () => {
  test("keeps its rows as if they had been wanted just now", async () => {
    const dir = temporaryDirectory();
    const old = new Sqlite(databaseIn(dir));
    for (const sql of migrations.slice(0, BEFORE)) old.exec(sql);
    old.exec(`INSERT INTO outbox (key, want, confirmed, tries, next_ms)
      VALUES ('check a', '"done"', '{"digest":"d","kept":7}', 2, 0), ('check b', '"x"', '{}', 1, 55)`);
    old.pragma(`user_version = ${BEFORE}`);
    old.pragma("application_id = 0x4d494c4c");
    old.close();
    const fromMs = Date.now() - 2_000;
    const copy = openStoreReadOnly({ dir });
    expect(copy.ok && copy.value.queries.outbox()).toHaveLength(2);
    const { store } = await opened(dir);
    const [settled, open] = store.queries.outbox();
    expect(settled).toMatchObject({ key: "check a", want: "done", confirmed: { digest: "d", kept: 7 }, tries: 2 });
    expect([settled?.nextMs, settled?.waitsSinceMs, open?.nextMs]).toEqual([0, 0, 55]);
    for (const ms of [settled?.wantedMs, open?.wantedMs, open?.waitsSinceMs]) expect(ms).toBeGreaterThan(fromMs);
    expect(store.queries.openOutbox()).toEqual([open]);
    await store.commit([{ put: "outboxBefore", row: { kind: "check", wantedMs: fromMs } }]);
    expect(store.queries.outbox()).toHaveLength(2);
  });
});

describe("what is at rest", () => {
  test("is forgotten when it is old, of one kind alone, and never while there is something to do", async () => {
    const { store } = await opened(temporaryDirectory());
    await store.commit([
      row("check old"),
      row("check due", { nextMs: 9 }),
      row("check new", { wantedMs: 10 }),
      row("checks old"),
      row("message old"),
    ]);
    await store.commit([{ put: "outboxBefore", row: { kind: "check", wantedMs: 10 } }]);
    expect(store.queries.outbox().map(({ key }) => key)).toEqual([
      "check due",
      "check new",
      "checks old",
      "message old",
    ]);
  });

  test("is forgotten a little at a time, the oldest first", async () => {
    const { store } = await opened(temporaryDirectory());
    const count = OUTBOX_FORGETS_MAX + 3;
    await store.commit(Array.from({ length: count }, (_, n) => row(`check ${n}`, { wantedMs: count - n })));
    const forget: Write = { put: "outboxBefore", row: { kind: "check", wantedMs: 10_000 } };
    await store.commit([forget]);
    expect(store.queries.outbox().map(({ key }) => key)).toEqual(["check 0", "check 1", "check 2"]);
    await store.commit([forget]);
    expect(store.queries.outbox()).toEqual([]);
  });
});

test("neither what is due nor what is old is looked for among all rows", async () => {
  const dir = temporaryDirectory();
  await opened(dir);
  const asked: string[] = [];
  const db = new Sqlite(databaseIn(dir), { verbose: (sql) => void asked.push(String(sql)) });
  const planOf = (sql = ""): string => JSON.stringify(db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
  createQueries(db, () => {}).openOutbox();
  expect(planOf(asked.at(-1))).toContain("INDEX outbox_due");
  const forget = writers.find(({ upsert }) => upsert.startsWith("DELETE FROM outbox"))?.upsert;
  const plan = planOf(forget?.replace("< ?", "< 5").replace("?", "'check'"));
  expect(plan).toContain("INDEX outbox_by_age");
  expect(plan).not.toMatch(/SCAN outbox\b/);
  db.close();
});
