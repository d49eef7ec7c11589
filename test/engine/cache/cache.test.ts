import { describe, expect, it } from "vitest";
import { createRig, DummyBuilder, type Rig } from "../../../src/testing/index.ts";
import { failed, keyed, MINUTE, transient } from "./support.ts";

const ended = (rig: Rig): readonly string[] =>
  rig.store.queries
    .jobs({})
    .toReversed()
    .map(({ description, state, build }) => `${description} ${state} ${build}`);

describe("a key that is wanted", () => {
  it("runs once, whoever wants it, and each user sees it as its own (D1)", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    const [a, b] = [keyed(rig, builder, { name: "a" }, "k"), keyed(rig, builder, { name: "b" }, "k")];
    const run = await builder.nextRun();
    await rig.clock.settle();
    expect([a.term.output, b.term.output]).toEqual([
      { state: "active", phase: "running", origin: "a" },
      { state: "active", phase: "running", origin: "b" },
    ]);
    run.succeed("image");
    await rig.clock.settle();
    expect([a.shows(), b.shows()]).toEqual(["ok image", "ok image"]);
    expect(builder.runs.length).toBe(1);
  });

  it("uses the context of whoever came last (D20)", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    keyed(rig, builder, { name: "a", context: "first" }, "k");
    keyed(rig, builder, { name: "b", context: "second" }, "k");
    expect((await builder.nextRun()).context).toBe("second");
  });

  it("is another key for another version of the operation", async () => {
    const rig = createRig();
    const old = keyed(rig, new DummyBuilder({ version: 1 }), { name: "old" }, "k");
    const builder = new DummyBuilder({ version: 2 });
    keyed(rig, builder, { name: "new" }, "k");
    await rig.clock.settle();
    expect(rig.engine.cache.size).toBe(2);
    expect(old.shows()).toBe("active running");
  });

  it("goes through ready, waiting, running to its end, each written down (D4)", async () => {
    const rig = createRig();
    rig.engine.confirm.set("average", "test");
    const states: (string | undefined)[] = [];
    rig.engine.jobs.changes.subscribe((id) => states.push(rig.engine.jobs.newest(id)?.state));
    const builder = new DummyBuilder();
    const { shows, jobs } = keyed(rig, builder, {}, "k");
    await rig.clock.settle();
    expect(shows()).toBe("active waiting");
    expect(jobs()).toMatchObject([{ state: "waiting", startedMs: null }]);
    rig.engine.confirm.set("none", "test");
    (await builder.nextRun()).succeed("image");
    await rig.clock.settle();
    expect(states).toEqual(["ready", "waiting", "ready", "running", "ok"]);
    expect(jobs()).toMatchObject([{ state: "ok", build: 1 }]);
  });

  it("makes an exception of its builder a failure that names the program", async () => {
    const rig = createRig();
    class Broken extends DummyBuilder {
      override build(): Promise<never> {
        throw new Error("odd");
      }
    }
    const { shows, jobs } = keyed(rig, new Broken(), {}, "k");
    await rig.clock.settle();
    expect(shows()).toBe("failed odd");
    expect(jobs()).toMatchObject([{ state: "failed", error: { code: "PROGRAM_FAULT", class: "system" } }]);
  });
});

describe("a value that its builder cannot make a key of", () => {
  it("is a failure of its term, and of no other", async () => {
    const rig = createRig();
    class Odd extends DummyBuilder {
      override key(key: string): string {
        if (key === "odd") throw new TypeError("an undefined has no JSON text");
        return key;
      }
    }
    const builder = new Odd();
    const [odd, good] = [keyed(rig, builder, { name: "odd" }, "odd"), keyed(rig, builder, { name: "good" }, "k")];
    (await builder.nextRun()).succeed("image");
    await rig.clock.settle();
    expect([odd.shows(), good.shows()]).toEqual(["failed an undefined has no JSON text", "ok image"]);
    odd.input.set("even");
    (await builder.nextRun()).succeed("image 2");
    await rig.clock.settle();
    expect(odd.shows()).toBe("ok image 2");
  });
});

describe("a failure of the user's (D5)", () => {
  it("stays until the key changes", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    const { shows, input } = keyed(rig, builder, {}, "k");
    (await builder.nextRun()).fail(failed());
    await rig.clock.advance(60 * MINUTE);
    expect(shows()).toBe("failed exit status 1");
    expect(builder.runs.length).toBe(1);
    input.set("k2");
    (await builder.nextRun()).succeed("image");
    await rig.clock.settle();
    expect(shows()).toBe("ok image");
    input.set("k"); // back: what is known of it is known
    await rig.clock.settle();
    expect(shows()).toBe("failed exit status 1");
    expect(builder.runs.length).toBe(2);
  });

  it("stays over a restart, and until Rebuild", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    keyed(rig, builder, {}, "k");
    (await builder.nextRun()).fail(failed());
    await rig.clock.settle();
    const next = await rig.restart();
    const { shows } = keyed(next, builder, {}, "k");
    await rig.clock.advance(60 * MINUTE);
    expect(shows()).toBe("failed exit status 1");
    expect(builder.runs.length).toBe(1);
    const [name = ""] = next.engine.jobs.rebuilders.keys();
    expect(await next.engine.jobs.rebuilders.get(name)?.()).toMatchObject({ ok: true });
    (await builder.nextRun()).succeed("image");
    await rig.clock.settle();
    expect(shows()).toBe("ok image");
  });
});

describe("a failure of the outside's", () => {
  it("is tried again with back-off that grows, visibly, and never for ever longer", async () => {
    const rig = createRig({ random: () => 0.5 });
    const builder = new DummyBuilder();
    const { term } = keyed(rig, builder, {}, "k");
    const waits: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      const run = await rig.clock.until(() => builder.runs[tries]);
      const atMs = rig.clock.now();
      run.fail(transient());
      await rig.clock.settle();
      const retryAtMs = term.output.state === "failed" ? term.output.failure.retryAtMs : undefined;
      await rig.clock.until(() => builder.runs[tries + 1]);
      expect(retryAtMs).toBe(rig.clock.now());
      waits.push(rig.clock.now() - atMs);
    }
    expect(waits.slice(0, 4)).toEqual([1_500, 3_000, 6_000, 12_000]);
    expect(waits.at(-1)).toBe(225_000);
  });

  it("is spread by chance, between half and the whole", async () => {
    const waits = await Promise.all(
      [0, 0.999].map(async (random) => {
        const rig = createRig({ random: () => random });
        const builder = new DummyBuilder();
        keyed(rig, builder, {}, "k");
        (await builder.nextRun()).fail(transient());
        await rig.clock.settle();
        const fromMs = rig.clock.now();
        await rig.clock.until(() => builder.runs[1]);
        return rig.clock.now() - fromMs;
      }),
    );
    expect(waits).toEqual([1_000, 1_999]);
  });

  it("is not tried again when nobody wants it any more", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    const { input } = keyed(rig, builder, {}, "k");
    (await builder.nextRun()).fail(transient());
    input.set("other");
    (await builder.nextRun()).succeed("image");
    await rig.clock.advance(60 * MINUTE);
    expect(builder.runs.map(({ key }) => key)).toEqual(["k", "other"]);
  });

  it("begins anew after it went well once", async () => {
    const rig = createRig({ random: () => 0.5 });
    const builder = new DummyBuilder();
    keyed(rig, builder, { validForMs: MINUTE }, "k");
    for (const result of ["fail", "fail", "succeed", "fail"]) {
      const run = await builder.nextRun();
      if (result === "fail") run.fail(transient());
      else run.succeed("image");
      await rig.clock.until(() => builder.runs.length > builder.runs.indexOf(run) + 1);
    }
    const [, , third, fourth, fifth] = rig.store.queries.jobs({}).toReversed();
    expect((fourth?.createdMs ?? 0) - (third?.endedMs ?? 0)).toBe(57_000);
    expect((fifth?.createdMs ?? 0) - (fourth?.endedMs ?? 0)).toBe(1_500);
  });
});

describe("a key that changes while it runs (D6)", () => {
  it("is cancelled when its builder may be, and its result is not kept", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ autoCancel: true });
    const { input, shows } = keyed(rig, builder, {}, "k1");
    const first = await builder.nextRun();
    input.set("k2");
    await rig.clock.settle();
    expect(first.job.signal.reason).toBe("cancelled: no longer needed");
    (await builder.nextRun()).succeed("image");
    await rig.clock.settle();
    expect(shows()).toBe("ok image");
    expect(ended(rig)).toEqual(["dummy k1 cancelled 1", "dummy k2 ok 1"]);
    input.set("k1");
    await rig.clock.settle();
    expect(shows()).toBe("active running");
    expect(builder.runs.map(({ key }) => key)).toEqual(["k1", "k2", "k1"]);
  });

  it("finishes and is recorded when its builder may not be cancelled (D7)", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ autoCancel: false });
    const { input, shows } = keyed(rig, builder, {}, "k1");
    const first = await builder.nextRun();
    input.set("k2");
    (await builder.nextRun()).succeed("image 2");
    first.succeed("image 1");
    await rig.clock.settle();
    expect(shows()).toBe("ok image 2");
    input.set("k1");
    await rig.clock.settle();
    expect(shows()).toBe("ok image 1");
    expect(builder.runs.length).toBe(2);
  });

  it("leaves memory when nobody wants it and nothing runs (D7)", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    const { input } = keyed(rig, builder, {}, "k1");
    const first = await builder.nextRun();
    input.set("k2");
    await rig.clock.settle();
    expect(rig.engine.cache.size).toBe(2);
    first.succeed("image");
    (await builder.nextRun()).succeed("image");
    await rig.clock.settle();
    expect(rig.engine.cache.size).toBe(1);
    expect([...rig.engine.jobs.rebuilders.keys()].length).toBe(1);
    expect(rig.engine.jobs.open.size).toBe(0);
  });
});

describe("a key that is wanted again before its cancelled run has ended (D8)", () => {
  it("drops that run's result, whatever it is, and runs afresh", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ autoCancel: true, stubborn: true });
    const { input, shows } = keyed(rig, builder, {}, "k1");
    const first = await builder.nextRun();
    input.set("k2");
    await rig.clock.settle();
    input.set("k1");
    await rig.clock.settle();
    expect(builder.runs.map(({ key }) => key)).toEqual(["k1", "k2"]);
    first.succeed("stale");
    await rig.clock.settle();
    expect(shows()).toBe("active running");
    builder.runs.at(-1)?.succeed("fresh");
    await rig.clock.settle();
    expect(shows()).toBe("ok fresh");
    expect(ended(rig)).toEqual(["dummy k1 cancelled 1", "dummy k2 running 1", "dummy k1 ok 1"]);
  });

  it("goes on when it leaves and comes back within one step", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ autoCancel: true });
    const { input } = keyed(rig, builder, {}, "k1");
    const run = await builder.nextRun();
    input.set("k2");
    input.set("k1");
    await rig.clock.settle();
    expect(run.job.signal.aborted).toBe(false);
    expect(builder.runs.length).toBe(1);
  });
});

describe("cancel by a person (D12)", () => {
  it("is a failure that stays, even when the run says that it went well", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ stubborn: true });
    const { shows, jobs } = keyed(rig, builder, {}, "k");
    const run = await builder.nextRun();
    expect(await rig.engine.jobs.cancel(run.id, "eve", "wrong branch")).toEqual({ ok: true, value: undefined });
    run.succeed("image");
    await rig.clock.advance(60 * MINUTE);
    expect(shows()).toBe("failed cancelled by eve: wrong branch");
    expect(jobs()).toMatchObject([
      { state: "cancelled", note: "cancelled by eve: wrong branch", error: { code: "CANCELLED" } },
    ]);
    expect(rig.logs.text(run.id)).toContain("cancelled by eve: wrong branch");
  });

  it("is refused once the run has ended", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    const { jobs } = keyed(rig, builder, {}, "k");
    const run = await builder.nextRun();
    run.succeed("image");
    await run.result; // its end is being written down
    for (let turns = 0; turns < 4; turns += 1) await Promise.resolve();
    const late = await rig.engine.jobs.cancel(run.id, "eve", "");
    await rig.clock.settle();
    expect([late.ok, jobs()[0]?.state]).toEqual([false, "ok"]);
    const after = await rig.engine.jobs.cancel(run.id, "eve", "");
    expect(after).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
  });
});

describe("the time limit of a run", () => {
  it("counts from its start, and says so", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ timeoutMs: 10 * MINUTE });
    const { shows, jobs } = keyed(rig, builder, {}, "k");
    await builder.nextRun();
    await rig.clock.advance(10 * MINUTE - 1);
    expect(shows()).toBe("active running");
    await rig.clock.advance(1);
    expect(shows()).toBe("failed timed out after 600 s");
    expect(jobs()).toMatchObject([{ state: "failed", error: { code: "TIMED_OUT", class: "failed" } }]);
  });

  it("is over with the run", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ timeoutMs: MINUTE });
    const { shows } = keyed(rig, builder, {}, "k");
    const run = await builder.nextRun();
    run.succeed("image");
    await rig.clock.advance(10 * MINUTE);
    expect([shows(), run.job.signal.aborted]).toEqual(["ok image", false]);
  });
});
