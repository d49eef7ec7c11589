import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import { LogFiles, logPath } from "../../src/engine/job-log.ts";
import { databaseIn } from "../../src/engine/store/open.ts";
import { type Store, StoreFull } from "../../src/engine/store/store.ts";
import { event, jobRow, opened, refusal } from "../engine/store/support.ts";
import { fillDisk, mayMount, smallDisk } from "../support/tmpfs.ts";

const DETAIL = "x".repeat(4_000);

/** Commits until the disk is full; the number of the last event that was accepted. */
async function commitUntilFull(store: Store): Promise<number> {
  for (let id = store.queries.lastEventId() + 1; ; id += 1) {
    try {
      await store.commit([{ put: "event", row: event(id, DETAIL) }]);
    } catch (error) {
      if (error instanceof StoreFull) return id - 1;
      throw error;
    }
  }
}

describe.skipIf(!mayMount())("a full disk", () => {
  test.each(["thread", "inline"] as const)(
    "stops new work, lets what ends be recorded, and heals (%s)",
    async (writer) => {
      const dir = join(smallDisk("size=32m"), "state");
      const { store, fatal } = await opened(dir, { writer });
      const seen: boolean[] = [];
      store.onFull((full) => seen.push(full));
      const reserve = join(dir, "reserve.bin");
      expect(statSync(reserve).size).toBe(2 * 1024 * 1024);
      await store.commit([{ put: "job", row: jobRow("a", { state: "running" }) }]);

      const filler = join(dir, "..", "filler");
      fillDisk(filler);
      const last = await commitUntilFull(store);
      expect([store.full, seen]).toEqual([true, [true]]);
      expect(store.queries.lastEventId()).toBe(last);
      await expect(store.commit([{ put: "event", row: event(last + 1) }])).rejects.toThrow(StoreFull);
      expect(store.queries.jobs({})).toHaveLength(1);

      const ended = jobRow("a", { state: "ok", startedMs: 1, endedMs: 2 });
      await store.commit([{ put: "job", row: ended }]);
      expect(store.queries.job("a")).toEqual(ended);
      expect(existsSync(reserve)).toBe(false);
      expect(store.full).toBe(true);
      await expect(store.commit([{ put: "event", row: event(last + 1) }])).rejects.toThrow(StoreFull); // room is kept

      rmSync(filler);
      await expect.poll(() => store.full, { timeout: 10_000 }).toBe(false);
      await store.commit([{ put: "event", row: event(last + 1) }]);
      expect(seen).toEqual([true, false]);
      expect(statSync(reserve).size).toBe(2 * 1024 * 1024);
      await store.close();
      expect(fatal).toEqual([]);
      const db = new Sqlite(databaseIn(dir));
      expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
      expect(db.prepare("SELECT count(*) AS n FROM event").get()).toEqual({ n: last + 1 });
      db.close();
    },
  );

  test("at the start is a clear refusal, and no more once there is room", async () => {
    const disk = smallDisk("size=2m");
    const dir = join(disk, "state");
    await (await opened(dir)).store.close();
    const filler = join(disk, "filler");
    fillDisk(filler);
    const refused = await refusal(dir, { writer: "thread" });
    expect(refused).toMatchObject({ code: "STORE_FULL", class: "failed" });
    expect(refused.message).toContain(dir);
    expect(refused.hint).toContain("Free space");
    rmSync(filler);
    const { store } = await opened(dir);
    await store.commit([{ put: "event", row: event(1) }]);
  });

  test("where nothing was ever, too", async () => {
    const disk = smallDisk("size=1m");
    fillDisk(join(disk, "filler"));
    expect((await refusal(join(disk, "state"), { writer: "thread" })).code).toBe("STORE_FULL");
  });

  test("does not end a job for its log: the gap is marked when there is room again", async () => {
    const disk = smallDisk("size=1m");
    const files = new LogFiles(disk, createClock());
    const log = files.writer("2026-11-21/070000-build-1");
    log.write("before\n");
    log.flush();
    fillDisk(join(disk, "filler"));
    log.write("lost\n".repeat(4_000));
    log.flush();
    rmSync(join(disk, "filler"));
    log.write("after\n");
    await log.close();
    const text = readFileSync(join(disk, logPath("2026-11-21/070000-build-1")), "utf8");
    expect(text.startsWith("before\nlost\n")).toBe(true);
    expect(text).toMatch(/ \d+ bytes are missing here: ENOSPC\nafter\n$/);
  });
});

test.skipIf(!mayMount())("a disk that may not be written to is refused by name", async () => {
  const disk = smallDisk("size=1m,ro");
  expect((await refusal(join(disk, "state"))).code).toBe("STATE_NOT_WRITABLE");
  expect((await refusal(disk)).code).toBe("STATE_NOT_WRITABLE");
});
