import { EMPTY, NEVER, of, Subject, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { problem } from "../../src/engine/errors.ts";
import { fromObservable, type Monitor, monitor } from "../../src/engine/monitor.ts";
import type { EventRow } from "../../src/engine/store/store.ts";
import { Collection } from "../../src/incr/index.ts";
import { collection, each } from "../../src/term/each.ts";
import { failure, ok, success } from "../../src/term/output.ts";
import type { Term } from "../../src/term/term.ts";
import { createRig, type DummyMonitor, dummyMonitor, type Rig, textCodec } from "../../src/testing/index.ts";
import { box, MINUTE, shown } from "./cache/support.ts";

const SWEEP = MINUTE;

interface Watched {
  readonly rig: Rig;
  readonly outside: DummyMonitor<string>;
  readonly term: Term<string>;
  readonly monitor: Monitor<string>;
  readonly shows: () => string;
}

function watched(
  rig: Rig = createRig({ random: middle() }),
  outside = dummyMonitor("head", textCodec, SWEEP),
): Watched {
  const { term, monitor: made } = monitor(rig.engine, box("head"), outside.spec);
  rig.engine.change(undefined, () => {});
  return { rig, outside, term, monitor: made, shows: () => shown(term) };
}

/** No jitter: a sweep comes after exactly a minute. */
function middle(): () => number {
  return () => 0.5;
}

function eventsOf(rig: Rig): readonly string[] {
  const said: string[] = [];
  const note = ({ kind, detail }: EventRow): number => said.push(`${kind}: ${detail}`);
  rig.engine.steps.subscribe(({ events }) => void events.map(note));
  return said;
}

describe("a monitor", () => {
  it("watches first, then reads, then reads again after its time (C5)", async () => {
    const { rig, outside, shows } = watched();
    outside.set("1a2b");
    expect([outside.watched, outside.reads]).toEqual([false, 0]);
    await rig.clock.settle();
    expect([shows(), outside.watched, outside.reads]).toEqual(["ok 1a2b", true, 1]);
    outside.set("3c4d");
    await rig.clock.advance(SWEEP - 1);
    expect(outside.reads).toBe(1);
    await rig.clock.advance(1);
    expect([shows(), outside.reads]).toEqual(["ok 3c4d", 2]);
  });

  it("does not come back before it was told to, and no later than an hour after", async () => {
    for (const [waitMs, comesMs] of [
      [20 * MINUTE, 20 * MINUTE],
      [30 * 24 * 60 * MINUTE, 60 * MINUTE],
    ] as const) {
      const rig = createRig({ random: middle() });
      let reads = 0;
      const spec = {
        ...dummyMonitor("head", textCodec, SWEEP).spec,
        read: async () => {
          reads += 1;
          return failure({ ...problem("REPO_UNREACHABLE", "too often"), retryAtMs: rig.clock.now() + waitMs });
        },
      };
      monitor(rig.engine, box("head"), spec);
      await rig.clock.advance(comesMs - 1);
      expect(reads).toBe(1);
      await rig.clock.advance(1);
      expect(reads).toBe(2);
    }
  });

  it("takes what is older in part for stale, and reads it again when that is to be there, a sweep later at the latest", async () => {
    for (const [waitMs, comesMs] of [
      [undefined, SWEEP],
      [5_000, 5_000],
      [30 * MINUTE, SWEEP],
      [-MINUTE, 1_000],
    ] as const) {
      const rig = createRig({ random: middle() });
      let reads = 0;
      const startMs = rig.clock.now();
      const spec = {
        ...dummyMonitor("head", textCodec, SWEEP).spec,
        read: async () => {
          reads += 1;
          return success("1a2b");
        },
        outdated: () => {
          if (reads > 1) return undefined;
          const missed = problem("FORGE_RATE_LIMITED", "later");
          return waitMs === undefined ? missed : { ...missed, retryAtMs: rig.clock.now() + waitMs };
        },
      };
      const { term, monitor: made } = monitor(rig.engine, box("head"), spec);
      await rig.clock.advance(comesMs - 1);
      expect([shown(term), term.metadata]).toEqual(["ok 1a2b, stale", { staleSinceMs: startMs, detail: "later" }]);
      expect(reads).toBe(1);
      await rig.clock.advance(1);
      expect([reads, shown(term), term.metadata]).toEqual([2, "ok 1a2b", {}]);
      expect(await made.refresh()).toEqual(success("1a2b"));
    }
  });

  it("spreads its reads by a tenth to either side", async () => {
    for (const [random, atMs] of [
      [0, 0.9 * SWEEP],
      [0.9999, 1.1 * SWEEP],
    ] as const) {
      const { rig, outside } = watched(createRig({ random: () => random }));
      outside.set("1a2b");
      await rig.clock.settle();
      await rig.clock.advance(atMs - 10);
      expect(outside.reads).toBe(1);
      await rig.clock.advance(10);
      expect(outside.reads).toBe(2);
    }
  });

  it("reads exactly once more when it is told of changes during a read, and never twice at once (C5)", async () => {
    const { rig, outside, shows } = watched();
    outside.set("1a2b");
    const release = outside.hold();
    await rig.clock.settle();
    outside.stale();
    outside.stale();
    outside.stale();
    outside.set("3c4d");
    await rig.clock.settle();
    expect([shows(), outside.reads]).toEqual(["active running", 1]);
    release();
    await rig.clock.settle();
    expect([shows(), outside.reads, outside.readsAtOnce]).toEqual(["ok 3c4d", 2, 1]);
  });

  it("makes an event of a change and says what told of it; none when nothing changed", async () => {
    const { rig, outside } = watched();
    const said = eventsOf(rig);
    outside.set("1a2b");
    await rig.clock.settle();
    outside.stale("push to main");
    await rig.clock.settle();
    outside.set("3c4d");
    outside.stale("push to main");
    await rig.clock.settle();
    outside.set("5e6f");
    await rig.clock.advance(SWEEP);
    expect(said).toEqual([
      'restart: head: first → "1a2b"',
      'watch: head: "1a2b" → "3c4d"',
      'poll: head: "3c4d" → "5e6f"',
    ]);
  });

  it("makes no step while reads find nothing new", async () => {
    const { rig, outside } = watched();
    outside.set("1a2b");
    await rig.clock.settle();
    const { step } = rig.engine;
    await rig.clock.advance(60 * MINUTE);
    expect([rig.engine.step, outside.reads]).toEqual([step, 61]);
  });

  it("writes each changed value down, numbered", async () => {
    const { rig, outside } = watched();
    for (const value of ["1a2b", "1a2b", "3c4d"]) {
      outside.set(value);
      await rig.clock.advance(SWEEP);
    }
    expect(rig.store.queries.heads()).toMatchObject([{ key: "head", value: "3c4d", generation: 2 }]);
  });
});

describe("a read that fails", () => {
  it("is a failure while nothing is known, and is tried again with back-off", async () => {
    const { rig, outside, term, shows } = watched();
    const triesAt: number[] = [];
    for (let tries = 0; tries < 11; tries += 1) {
      await rig.clock.until(() => outside.reads > tries);
      const retryAtMs = term.output.state === "failed" ? (term.output.failure.retryAtMs ?? 0) : 0;
      triesAt.push(retryAtMs - rig.clock.now());
    }
    expect(shows()).toBe("failed head does not answer");
    expect(triesAt.slice(0, 4)).toEqual([1_500, 3_000, 6_000, 12_000]);
    expect(triesAt.at(-1)).toBe(225_000);
  });

  it("keeps the last good value, stale since the first miss, until a read goes well", async () => {
    const { rig, outside, term, shows } = watched();
    outside.set("1a2b");
    await rig.clock.settle();
    outside.fail();
    await rig.clock.advance(SWEEP);
    const sinceMs = rig.clock.now();
    expect(term.metadata).toEqual({ staleSinceMs: sinceMs, detail: "head does not answer" });
    await rig.clock.advance(10 * MINUTE);
    expect(shows()).toBe("ok 1a2b, stale");
    expect(term.metadata.staleSinceMs).toBe(sinceMs);
    outside.set("1a2b");
    await rig.clock.advance(10 * MINUTE);
    expect([shows(), term.metadata]).toEqual(["ok 1a2b", {}]);
  });

  it("releases nothing: no sub-graph, no job", async () => {
    const { rig, outside, term } = watched();
    const released: string[] = [];
    const made = each(
      collection(rig.world, Collection.of([["a", 1]])).term,
      () => term, // what is below goes on with the kept value
    );
    rig.world.graph.scope.onRelease(() => released.push("root"));
    outside.set("1a2b");
    await rig.clock.settle();
    let changed = 0;
    term.node.watch(() => void (changed += 1));
    outside.fail();
    await rig.clock.advance(10 * MINUTE);
    expect([changed, released, made.output.state]).toEqual([0, [], "ok"]);
  });

  it("by an exception is a failure too, and not the last read", async () => {
    const rig = createRig({ random: middle() });
    const outside = dummyMonitor("head", textCodec, SWEEP);
    let broken = true;
    const read: typeof outside.spec.read = (signal) => {
      if (broken) throw new Error("odd answer");
      return outside.spec.read(signal);
    };
    const { term } = monitor(rig.engine, box("head"), { ...outside.spec, read });
    rig.engine.change(undefined, () => {});
    await rig.clock.settle();
    expect(term.output).toMatchObject({ failure: { code: "PROGRAM_FAULT", message: "odd answer" } });
    broken = false;
    outside.set("1a2b");
    await rig.clock.advance(MINUTE);
    expect(shown(term)).toBe("ok 1a2b");
  });
});

describe("refresh", () => {
  it("reads once more and answers with what that found; the step has been made by then", async () => {
    const { rig, outside, monitor: made, shows } = watched();
    outside.set("1a2b");
    await rig.clock.settle();
    outside.set("3c4d");
    const answer = await made.refresh();
    expect([answer, shows()]).toEqual([{ ok: true, value: "3c4d" }, "ok 3c4d"]);
    outside.fail();
    expect(await made.refresh()).toMatchObject({ ok: false, error: { code: "REPO_UNREACHABLE" } });
    expect(shows()).toBe("ok 3c4d, stale");
  });

  it("during a read waits for one that began after it was asked for", async () => {
    const { rig, outside, monitor: made } = watched();
    outside.set("1a2b");
    const release = outside.hold();
    await rig.clock.settle();
    const answer = made.refresh();
    outside.set("3c4d");
    release();
    expect(await answer).toEqual({ ok: true, value: "3c4d" });
    expect(outside.reads).toBe(2);
  });

  it("of a monitor that was stopped answers, also during a read", async () => {
    const { rig, outside, monitor: made } = watched();
    outside.set("1a2b");
    const release = outside.hold();
    await rig.clock.settle();
    const during = made.refresh();
    made.stop();
    release();
    expect(await during).toMatchObject({ ok: false, error: { code: "CANCELLED" } });
    expect(await made.refresh()).toMatchObject({ ok: false, error: { code: "CANCELLED" } });
    expect(outside.reads).toBe(1);
  });
});

describe("a monitor that is stopped", () => {
  it("reads and shows nothing any more, and does not watch", async () => {
    const { rig, outside, monitor: made, shows } = watched();
    outside.set("1a2b");
    await rig.clock.settle();
    made.stop();
    outside.set("3c4d");
    made.stale({ kind: "webhook", subject: "head", detail: "late" });
    await rig.clock.advance(60 * MINUTE);
    expect([shows(), outside.reads, outside.watched]).toEqual(["ok 1a2b", 1, false]);
  });

  it("during a read drops what the read finds", async () => {
    const { rig, outside, monitor: made, shows } = watched();
    outside.set("1a2b");
    const release = outside.hold();
    await rig.clock.settle();
    made.stop();
    release();
    await rig.clock.advance(60 * MINUTE);
    expect([shows(), outside.reads, made.reading]).toEqual(["active running", 1, false]);
  });

  it("before it began never begins", async () => {
    const rig = createRig();
    const outside = dummyMonitor("head", textCodec);
    const { monitor: made } = monitor(rig.engine, box("head"), outside.spec);
    made.stop();
    await rig.clock.advance(60 * MINUTE);
    expect([outside.reads, outside.watched]).toEqual([0, false]);
  });

  it("is one whose sub-graph was released; made again it begins with the last value", async () => {
    const rig = createRig({ random: middle() });
    const outside = dummyMonitor("head", textCodec, SWEEP);
    const { term, variable } = collection(rig.world, Collection.of<number>([]));
    each(term, () => monitor(rig.engine, box("head"), outside.spec).term);
    const set = async (...keys: readonly string[]): Promise<void> => {
      rig.engine.change(undefined, () => variable.set(ok(Collection.of(keys.map((key) => [key, 1])))));
      await rig.clock.settle();
    };
    outside.set("1a2b");
    await set("repo");
    await set();
    expect(outside.watched).toBe(false);
    outside.fail();
    await set("repo");
    expect(shown(rig.world.terms.get("head") ?? term)).toBe("ok 1a2b, stale");
  });
});

describe("after a restart", () => {
  it("a read that goes well shows the value; the same one is no event", async () => {
    const { rig, outside } = watched();
    outside.set("1a2b");
    await rig.clock.settle();
    const next = await rig.restart();
    const said = eventsOf(next);
    const again = watched(next, outside);
    await rig.clock.settle();
    expect([again.shows(), said]).toEqual(["ok 1a2b", []]);
  });

  it("a read that fails shows the stored value, as stale", async () => {
    const { rig, outside } = watched();
    outside.set("1a2b");
    await rig.clock.settle();
    const next = await rig.restart();
    outside.fail();
    const again = watched(next, outside);
    await rig.clock.settle();
    expect(again.shows()).toBe("ok 1a2b, stale");
    outside.set("3c4d");
    await rig.clock.advance(MINUTE);
    expect(again.shows()).toBe("ok 3c4d");
    expect(rig.store.queries.heads()).toMatchObject([{ value: "3c4d", generation: 2 }]);
  });

  it("reads the stored heads once, not once a monitor", async () => {
    const rig = createRig();
    let asked = 0;
    const heads = rig.store.queries.heads();
    Object.assign(rig.store.queries, { heads: () => (asked += 1) && heads });
    const next = await rig.restart();
    for (let at = 0; at < 50; at += 1)
      monitor(next.engine, box(`head ${at}`), dummyMonitor(`head ${at}`, textCodec).spec);
    await rig.clock.settle();
    expect(asked).toBe(1);
  });
});

describe("an Observable as an input", () => {
  it("is on its way before its first value, then has the newest", async () => {
    const rig = createRig();
    const source = new Subject<string>();
    const term = fromObservable(rig.engine, box("in"), source);
    rig.engine.change(undefined, () => {});
    const said = eventsOf(rig);
    await rig.clock.settle();
    expect(shown(term)).toBe("active running");
    source.next("a");
    source.next("b"); // in one turn: one step, with both events
    await rig.clock.settle();
    expect([shown(term), said]).toEqual(["ok b", ["watch: a new value came", "watch: a new value came"]]);
  });

  it("keeps the last value when it fails, as stale", async () => {
    const rig = createRig();
    const source = new Subject<string>();
    const term = fromObservable(rig.engine, box("in"), source);
    source.next("a");
    source.error(new Error("line is down"));
    await rig.clock.settle();
    expect([shown(term), term.metadata.detail]).toEqual(["ok a, stale", "line is down"]);
  });

  it("that fails before its first value is a failure", async () => {
    const rig = createRig();
    const term = fromObservable(
      rig.engine,
      box("in"),
      throwError(() => new Error("line is down")),
    );
    await rig.clock.settle();
    expect(term.output).toMatchObject({ origin: "in", failure: { code: "INPUT_ENDED", message: "line is down" } });
  });

  it("keeps its value when it completes; without one it stays on its way", async () => {
    const rig = createRig();
    const [some, none, never] = [of("a"), EMPTY, NEVER].map((source, at) =>
      fromObservable(rig.engine, box(`in ${at}`), source),
    );
    rig.engine.change(undefined, () => {});
    await rig.clock.settle();
    const shows = [some, none, never].map((term) => (term === undefined ? "" : shown(term)));
    expect(shows).toEqual(["ok a", "active running", "active running"]);
  });

  it("is let go with its sub-graph", async () => {
    const rig = createRig();
    const source = new Subject<string>();
    const { term, variable } = collection(rig.world, Collection.of([["a", 1]]));
    each(term, () => fromObservable(rig.engine, box("in"), source));
    rig.engine.change(undefined, () => {});
    await rig.clock.settle();
    expect(source.observed).toBe(true);
    rig.engine.change(undefined, () => variable.set(ok(Collection.of([]))));
    await rig.clock.settle();
    expect(source.observed).toBe(false);
  });
});
