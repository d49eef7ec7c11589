import { describe, expect, it } from "vitest";
import { Journal } from "../../src/engine/journal.ts";
import { Pool } from "../../src/engine/pool.ts";
import { memoryStore } from "../../src/engine/store/open.ts";
import { type Store, StoreFull, StoreRefused, type Write } from "../../src/engine/store/store.ts";
import { createRig, DummyBuilder } from "../../src/testing/index.ts";
import { keyed } from "./cache/support.ts";
import { jobRow } from "./store/support.ts";

/** A store over one in memory that a test can fill up. */
class SmallStore implements Store {
  readonly written: string[] = [];
  full = false;
  readonly #store = memoryStore();
  readonly #listeners: ((full: boolean) => void)[] = [];
  readonly epoch = 1;

  async commit(batch: readonly Write[]): Promise<void> {
    const closing = batch.some(({ put, row }) => put === "job" && row.endedMs !== null);
    if (this.full && !closing) throw new StoreFull("full");
    await this.#store.commit(batch);
    this.written.push(batch.map(({ put, row }) => ("state" in row ? `${put} ${row.state}` : put)).join("+"));
  }
  setFull(full: boolean): void {
    this.full = full;
    for (const listener of this.#listeners) listener(full);
  }
  onFull(listener: (full: boolean) => void): void {
    this.#listeners.push(listener);
  }
  flush(): Promise<void> {
    return this.#store.flush();
  }
  close(): Promise<void> {
    return this.#store.close();
  }
  get queries() {
    return this.#store.queries;
  }
  get counts() {
    return this.#store.counts;
  }
}

const still = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const event = (id: number): Write => ({ put: "event", row: { id, atMs: 1, kind: "poll", subject: "x", detail: "" } });
const job = (state: "ready" | "running" | "ok"): Write => ({
  put: "job",
  row: jobRow("2026-01-01/000000-dummy-1", { state, endedMs: state === "ok" ? 5 : null }),
});
const thrower = (error: unknown): never => {
  throw error;
};

describe("a full disk", () => {
  it("keeps what must be durable waiting, in order, until there is room", async () => {
    const store = new SmallStore();
    const journal = new Journal(store, thrower);
    const said: number[] = [];
    store.setFull(true);
    for (const id of [1, 2, 3]) void journal.save(event(id)).then(() => said.push(id));
    await still();
    expect([said, journal.blocked]).toEqual([[], true]);
    store.setFull(false);
    await still();
    expect([said, journal.blocked]).toEqual([[1, 2, 3], false]);
    expect(store.queries.events([1, 2, 3]).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it("fills up again while what waited is written: the order stays", async () => {
    const store = new SmallStore();
    const journal = new Journal(store, thrower);
    store.setFull(true);
    const first = journal.save(job("ready"));
    await still();
    store.full = false; // room for a moment: nobody is told
    const second = journal.save(job("running"));
    store.setFull(true);
    await still();
    store.setFull(false);
    await Promise.all([first, second]);
    expect(store.written).toEqual(["job ready", "job running"]);
  });

  it("may be noticed late: what was asked for first is written first all the same", async () => {
    const store = new SmallStore();
    const journal = new Journal(store, thrower);
    const commit = store.commit.bind(store);
    const late: ((error: StoreFull) => void)[] = [];
    store.commit = () => new Promise((_resolve, reject) => void late.push(reject));
    const first = journal.save(job("ready")); // on its way when the disk fills up
    store.commit = commit;
    store.setFull(true);
    const second = journal.save(job("running"));
    await still();
    for (const reject of late) reject(new StoreFull("full"));
    await still();
    store.setFull(false);
    await Promise.all([first, second]);
    expect(store.written).toEqual(["job ready", "job running"]);
  });

  it("does not hold up the end of what runs; an older row that waits does not come over it", async () => {
    const store = new SmallStore();
    const journal = new Journal(store, thrower);
    store.setFull(true);
    const born = journal.save(job("running"), event(1));
    await still();
    await journal.save(job("ok"));
    expect(store.written).toEqual(["job ok"]);
    store.setFull(false);
    await born;
    expect(store.queries.job("2026-01-01/000000-dummy-1")?.state).toBe("ok");
    expect(store.written).toEqual(["job ok", "event"]);
  });

  it("stops new jobs before they do anything, ends the running ones, and all goes on when there is room", async () => {
    const store = new SmallStore();
    const rig = createRig({ store });
    const builder = new DummyBuilder({ pool: new Pool("builds", 3) });
    const first = keyed(rig, builder, { name: "first" }, "k1");
    const run = await builder.nextRun();
    store.setFull(true);
    const second = keyed(rig, builder, { name: "second" }, "k2");
    await rig.clock.advance(60_000);
    expect([builder.runs.length, second.shows(), rig.engine.journal.blocked]).toEqual([1, "active running", true]);
    run.succeed("image");
    await rig.clock.settle();
    expect(first.shows()).toBe("ok image");
    store.setFull(false);
    (await builder.nextRun()).succeed("image 2");
    await rig.clock.settle();
    expect(second.shows()).toBe("ok image 2");
    expect(rig.store.queries.jobs({}).map(({ state }) => state)).toEqual(["ok", "ok"]);
  });
});

describe("a batch that breaks a constraint", () => {
  it("is a fault of the program, told as such", async () => {
    const store = new SmallStore();
    const faults: unknown[] = [];
    const refused = new StoreRefused("one_open_intent");
    store.commit = () => Promise.reject(refused);
    new Journal(store, (error) => faults.push(error)).note(event(1));
    await still();
    expect(faults).toEqual([refused]);
  });
});

describe("a closed journal", () => {
  it("writes nothing more and answers nobody", async () => {
    const store = new SmallStore();
    const journal = new Journal(store, thrower);
    journal.close();
    let answered = false;
    void journal.save(event(1)).then(() => (answered = true));
    await still();
    expect([answered, store.written]).toEqual([false, []]);
  });
});
