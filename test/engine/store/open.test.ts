import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { APPLICATION_ID, migrations } from "../../../src/engine/store/migrations.ts";
import { databaseIn } from "../../../src/engine/store/open.ts";
import { openStoreReadOnly } from "../../../src/engine/store/read-only.ts";
import { connectReader, connectWriter } from "../../../src/engine/store/sqlite.ts";
import type { Store } from "../../../src/engine/store/store.ts";
import { event, jobRow, opened, refusal, temporaryDirectory } from "./support.ts";

/** Opens the database beside the store and changes it. */
function tamper(dir: string, sql: string): void {
  const db = new Sqlite(databaseIn(dir));
  db.exec(sql);
  db.close();
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("a state directory", () => {
  test("is made, and it and its files belong to us alone", async () => {
    const dir = join(temporaryDirectory(), "deep", "state");
    const { store } = await opened(dir, { writer: "thread" });
    await store.commit([{ put: "event", row: event(1) }]);
    expect(modeOf(dir)).toBe(0o700);
    const files = readdirSync(dir);
    expect(files).toEqual(
      expect.arrayContaining(["lock.db", "lock.json", "millrace.db", "millrace.db-wal", "reserve.bin"]),
    );
    expect(files.filter((file) => (modeOf(join(dir, file)) & 0o077) !== 0)).toEqual([]);
  });

  test("that is a file is refused by name", async () => {
    const dir = join(temporaryDirectory(), "state");
    writeFileSync(dir, "");
    const refused = await refusal(dir);
    expect(refused.code).toBe("STATE_NOT_WRITABLE");
    expect(refused.message).toContain(dir);
    expect(await refusal(join(dir, "below"))).toMatchObject({ code: "STATE_NOT_WRITABLE" });
  });

  test("in use is refused, naming the owner; free again after close", async () => {
    const dir = temporaryDirectory();
    const { store } = await opened(dir);
    const refused = await refusal(dir);
    expect(refused.code).toBe("STATE_IN_USE");
    expect(refused.message).toMatch(new RegExp(`${dir} is in use by process ${process.pid} on \\S+, started 20`));
    await store.close();
    expect(existsSync(join(dir, "lock.json"))).toBe(false);
    await opened(dir);
  });
});

describe("the database file", () => {
  test.each([connectWriter, connectReader])(
    "every pragma reads back after it was opened again: %o",
    async (connect) => {
      const dir = temporaryDirectory();
      await (await opened(dir)).store.close();
      const db = connect(databaseIn(dir));
      const now = (name: string): unknown => db.pragma(name, { simple: true });
      expect(now("synchronous")).toBe(2);
      expect(now("journal_mode")).toBe("wal");
      expect([now("foreign_keys"), now("trusted_schema"), now("cell_size_check")]).toEqual([1, 0, 1]);
      expect([now("busy_timeout"), now("wal_autocheckpoint")]).toEqual([5_000, 1_000]);
      expect([now("application_id"), now("user_version")]).toEqual([APPLICATION_ID, migrations.length]);
      db.close();
    },
  );

  test.each([
    ["no database at all", (path: string) => writeFileSync(path, "not a database ".repeat(500))],
    ["cut off", (path: string) => truncateSync(path, 8_192)],
    ["a page overwritten", (path: string) => overwritePages(path)],
  ])("damaged is refused: %s", async (_name, damage) => {
    const dir = temporaryDirectory();
    await (await opened(dir)).store.close();
    damage(databaseIn(dir));
    const refused = await refusal(dir);
    expect(refused).toMatchObject({ code: "STATE_DAMAGED", class: "system" });
    expect(refused.hint).toContain("backup");
    expect(openStoreReadOnly({ dir })).toMatchObject({ ok: false, error: { code: "STATE_DAMAGED" } });
    writeFileSync(databaseIn(dir), "");
    await opened(dir); // the lock was given back
  });

  test("damaged only where no query would look is refused", async () => {
    const dir = temporaryDirectory();
    const { store } = await opened(dir);
    await store.commit([{ put: "setting", row: { name: "x", value: "needle ".repeat(2_000) } }]);
    await store.close();
    const bytes = readFileSync(databaseIn(dir));
    bytes.fill(0xff, bytes.lastIndexOf("needle") - 8_192, bytes.lastIndexOf("needle"));
    writeFileSync(databaseIn(dir), bytes);
    expect((await refusal(dir)).code).toBe("STATE_DAMAGED");
    expect(openStoreReadOnly({ dir })).toMatchObject({ ok: false, error: { code: "STATE_DAMAGED" } });
  });

  test("of a newer program is refused and left alone", async () => {
    const dir = temporaryDirectory();
    await (await opened(dir)).store.close();
    tamper(dir, `PRAGMA user_version = ${migrations.length + 1}`);
    const before = readFileSync(databaseIn(dir));
    expect(await refusal(dir)).toMatchObject({ code: "STATE_NEWER" });
    expect(openStoreReadOnly({ dir })).toMatchObject({ ok: false, error: { code: "STATE_NEWER" } });
    expect(readFileSync(databaseIn(dir)).equals(before)).toBe(true);
  });

  test("of another program is refused", async () => {
    const dir = temporaryDirectory();
    tamper(dir, "CREATE TABLE recipes (name TEXT)");
    const refused = await refusal(dir);
    expect(refused.code).toBe("STATE_DAMAGED");
    expect(refused.message).toContain("another program");
  });

  test("rows of an odd shape are left out, and what only people read is blank", async () => {
    const dir = temporaryDirectory();
    const { store } = await opened(dir);
    await store.commit([
      { put: "job", row: jobRow("a") },
      { put: "job", row: jobRow("b") },
      { put: "setting", row: { name: "x", value: 1 } },
    ]);
    tamper(
      dir,
      `UPDATE job SET state = 'dreaming' WHERE id = 'a'; UPDATE job SET level = 'odd', error = '{"code":1}' WHERE id = 'b';
       UPDATE setting SET value = '{'`,
    );
    expect(store.queries.jobs({})).toEqual([jobRow("b", { level: null })]);
    expect(store.queries.setting("x")).toBeUndefined();
  });

  test.each(["millrace.db", "millrace.db-wal"])("taken away while in use ends the process: %s", async (name) => {
    const dir = temporaryDirectory();
    const { store, fatal } = await opened(dir, { writer: "thread" });
    await store.commit([{ put: "event", row: event(1) }]);
    renameSync(join(dir, name), join(dir, "gone"));
    void store.commit([{ put: "event", row: event(2) }]).finally(() => expect.unreachable());
    await expect.poll(() => fatal.map((error) => error.code)).toEqual(["STATE_REPLACED"]);
    expect(fatal[0]?.message).toContain(name);
  });

  test("a damage that a read meets ends the process, once", async () => {
    const dir = temporaryDirectory();
    const { store, fatal } = await opened(dir);
    const rows = Array.from({ length: 4_000 }, (_, index) => event(index + 1, "x".repeat(200)));
    await store.commit(rows.map((row) => ({ put: "event", row }) as const));
    tamper(dir, "PRAGMA wal_checkpoint(TRUNCATE)");
    overwritePages(databaseIn(dir));
    expect(() => store.queries.events(rows.map((row) => row.id))).toThrow(/malformed|SQLITE_CORRUPT/);
    expect(() => store.queries.events(rows.map((row) => row.id))).toThrow(/malformed|SQLITE_CORRUPT/);
    expect(fatal.map((error) => error.code)).toEqual(["STATE_DAMAGED"]);
  });
});

describe("read only", () => {
  const lastEvent = (dir: string): number => copyOf(dir).queries.lastEventId();
  function copyOf(dir: string): Store {
    const store = openStoreReadOnly({ dir });
    if (!store.ok) throw new Error(store.error.message);
    return store.value;
  }

  test("nothing there is an empty store, and stays so", async () => {
    const dir = temporaryDirectory();
    const store = copyOf(join(dir, "none"));
    await store.commit([{ put: "event", row: event(1) }]);
    expect(store.queries.lastEventId()).toBe(1);
    expect(store.epoch).toBe(0);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("sees what a server at work has committed, and changes nothing", async () => {
    const dir = temporaryDirectory();
    const { store } = await opened(dir, { writer: "thread" });
    await store.commit([{ put: "event", row: event(1) }]);
    const copy = copyOf(dir);
    expect(copy.queries.lastEventId()).toBe(1);
    await copy.commit([{ put: "event", row: event(5) }]);
    expect(copy.queries.lastEventId()).toBe(5);
    await store.commit([{ put: "event", row: event(2) }]);
    expect(lastEvent(dir)).toBe(2);
    await store.close();
    const before = readdirSync(dir);
    expect(lastEvent(dir)).toBe(2);
    expect(readdirSync(dir)).toEqual(before);
  });

  test("reads what a killed server left in the WAL, and does not begin to recover it", async () => {
    const dir = temporaryDirectory();
    const left = temporaryDirectory();
    const { store } = await opened(dir, { writer: "thread" });
    await store.commit([{ put: "event", row: event(7) }]);
    for (const name of readdirSync(dir)) cpSync(join(dir, name), join(left, name)); // as SIGKILL leaves it
    await store.close();
    const state = (): readonly (readonly [string, string, bigint])[] =>
      readdirSync(left).map((name) => {
        const path = join(left, name);
        return [name, readFileSync(path).toString("base64"), statSync(path, { bigint: true }).mtimeNs];
      });
    const before = state();
    expect(before.map(([name]) => name)).toContain("millrace.db-wal");
    expect(lastEvent(left)).toBe(7);
    expect(state()).toEqual(before);
  });

  test("a file in the place of the directory is not an empty store", () => {
    const dir = join(temporaryDirectory(), "state");
    mkdirSync(dir);
    mkdirSync(databaseIn(dir));
    expect(openStoreReadOnly({ dir }).ok).toBe(false);
  });
});

/** Overwrites every page but the first. */
function overwritePages(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 4_096);
  writeFileSync(path, bytes);
}
