import { describe, expect, it } from "vitest";
import { problem } from "../../src/engine/errors.ts";
import type { JobSpec } from "../../src/engine/jobs.ts";
import { heldBy, type Level, levels } from "../../src/engine/level.ts";
import { Pool } from "../../src/engine/pool.ts";
import { createRig, DummyBuilder, type Rig } from "../../src/testing/index.ts";
import { keyed, MINUTE } from "./cache/support.ts";

const spec: JobSpec = {
  op: "dummy",
  term: "web",
  key: "k",
  description: "do it",
  level: "average",
  inputs: {},
  build: 1,
};
const stored = (rig: Rig) => rig.store.queries.jobs({}).toReversed();

/** Starts a job and ends it well as soon as it may go on. */
function working(rig: Rig, more: Partial<JobSpec> = {}, pool?: Pool) {
  const job = rig.engine.jobs.create({ ...spec, ...more });
  const done = job
    .start({ level: more.level ?? "average", ...(pool === undefined ? {} : { pool }) })
    .then((started) => job.end(started.ok ? undefined : started.error));
  return { job, done };
}

describe("the threshold", () => {
  it.each(levels.map((threshold) => [threshold]))(
    "%s holds that level and above, never what is harmless",
    (threshold) => {
      const held = levels.filter((level) => heldBy(threshold, level));
      expect(held).toEqual(
        levels.filter((level) => level !== "harmless" && levels.indexOf(level) >= levels.indexOf(threshold)),
      );
      expect(levels.some((level) => heldBy("none", level))).toBe(false);
    },
  );

  it("lets jobs wait, and go on when it is raised above them", async () => {
    const rig = createRig();
    rig.engine.confirm.set("average", "ann");
    const started = (["mostly-harmless", "average", "dangerous"] as const).map((level: Level) =>
      working(rig, { level }),
    );
    await rig.clock.settle();
    expect(stored(rig).map(({ state }) => state)).toEqual(["ok", "waiting", "waiting"]);
    rig.engine.confirm.set("dangerous", "ann");
    await rig.clock.settle();
    expect(stored(rig).map(({ state }) => state)).toEqual(["ok", "ok", "waiting"]);
    expect(rig.logs.text(started[1]?.job.id ?? "")).toMatch(
      /Waiting for the confirm threshold to rise above average \(it is average\)[^]*The confirm threshold is now dangerous/,
    );
  });

  it("is passed by a job that a person starts, and by that one alone", async () => {
    const rig = createRig();
    rig.engine.confirm.set("average", "ann");
    const [one] = [working(rig), working(rig)];
    await rig.clock.settle();
    expect(rig.engine.jobs.start(one.job.id, "ann").ok).toBe(true);
    await one.done;
    expect(stored(rig).map(({ state }) => state)).toEqual(["ok", "waiting"]);
    expect(rig.logs.text(one.job.id)).toContain("Start asked for by ann");
    expect(rig.engine.jobs.start(one.job.id, "ann")).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
  });

  it("drops by itself after a while, unless somebody changed it before", async () => {
    const rig = createRig();
    const { confirm } = rig.engine;
    confirm.set("average", "--confirm");
    confirm.autoRelease(10 * MINUTE);
    expect(confirm.autoReleaseAtMs).toBe(rig.clock.now() + 10 * MINUTE);
    const { done } = working(rig);
    await rig.clock.advance(10 * MINUTE - 1);
    expect(confirm.threshold).toBe("average");
    await rig.clock.advance(1);
    await done;
    expect([confirm.threshold, confirm.setBy, confirm.autoReleaseAtMs]).toEqual([
      "none",
      "--confirm-auto-release",
      undefined,
    ]);
    confirm.set("average", "--confirm");
    confirm.autoRelease(10 * MINUTE);
    confirm.set("dangerous", "ann");
    await rig.clock.advance(60 * MINUTE);
    expect(confirm.threshold).toBe("dangerous");
  });
});

describe("a job", () => {
  it("is written down at birth and at each change, running before it goes on", async () => {
    const rig = createRig();
    const job = rig.engine.jobs.create(spec);
    await rig.clock.settle();
    expect(stored(rig)).toMatchObject([{ state: "ready", startedMs: null, endedMs: null }]);
    await rig.clock.advance(1_000);
    await job.start({ level: "average" });
    expect(stored(rig)).toMatchObject([{ state: "running", startedMs: rig.clock.now() }]);
    await rig.clock.advance(1_000);
    await job.end(undefined);
    expect(stored(rig)).toMatchObject([{ state: "ok", endedMs: rig.clock.now(), error: null }]);
    expect(rig.engine.jobs.open.size).toBe(0);
  });

  it("has an id of its time and operation, and its log under it", async () => {
    const rig = createRig();
    const { job, done } = working(rig);
    await done;
    expect(job.id).toMatch(/^2026-01-01\/000000-dummy-[0-9a-f]{8}$/);
    expect(stored(rig)[0]?.log).toBe(`job/${job.id}.log`);
    expect(rig.logs.text(job.id)).toMatch(/do it \(dummy, level average\)[^]*Job succeeded\n$/);
  });

  it("waits for its pool, says so, and gives the place back whatever happens", async () => {
    const rig = createRig();
    const pool = new Pool("builds", 1);
    const first = rig.engine.jobs.create(spec);
    await first.start({ level: "average", pool });
    const second = working(rig, {}, pool);
    const third = working(rig, {}, pool);
    await rig.clock.settle();
    expect(stored(rig).map(({ state, pool: name }) => [state, name])).toEqual([
      ["running", "builds"],
      ["ready", null],
      ["ready", null],
    ]);
    expect(await rig.engine.jobs.cancel(second.job.id, "ann", "")).toMatchObject({ ok: true });
    await first.end(problem("BUILD_FAILED", "exit status 1"));
    await Promise.all([second.done, third.done]);
    expect(stored(rig).map(({ state }) => state)).toEqual(["failed", "cancelled", "ok"]);
    expect([pool.used, pool.waiting]).toEqual([0, 0]);
    expect(rig.logs.text(third.job.id)).toMatch(
      /Waiting for a place in pool builds \(1 of 1 in use\)[^]*Got a place in pool builds/,
    );
  });

  it("that waits for the threshold is cancelled at once, and never shown as ready again", async () => {
    const rig = createRig();
    rig.engine.confirm.set("average", "ann");
    const { job, done } = working(rig);
    await rig.clock.settle();
    const states: string[] = [];
    rig.engine.jobs.changes.subscribe(() => states.push(job.row.state));
    await rig.engine.jobs.cancel(job.id, "ann", "not today");
    await done;
    expect(states).toEqual(["cancelled"]);
    expect(stored(rig)).toMatchObject([{ state: "cancelled", note: "cancelled by ann: not today", startedMs: null }]);
  });

  it("that is sealed cannot be cancelled, and says why", async () => {
    const rig = createRig();
    const { job } = working(rig);
    job.sealed = "the deploy has been sent";
    const answer = await rig.engine.jobs.cancel(job.id, "ann", "");
    expect(answer).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE", message: "the deploy has been sent" } });
    expect(job.signal.aborted).toBe(false);
  });

  it("keeps the first reason that it was stopped for", async () => {
    const rig = createRig();
    const { job, done } = working(rig);
    job.interrupt("Millrace is being stopped");
    job.cancel("cancelled by ann");
    await done;
    expect(stored(rig)).toMatchObject([{ state: "interrupted", note: "Millrace is being stopped" }]);
  });

  it("is shown as ended only once that is durable", async () => {
    const rig = createRig({ dies: (point) => point === "before commit job ok" });
    const { job } = working(rig);
    await rig.clock.settle();
    expect([job.row.state, job.ended]).toEqual(["running", false]);
  });

  it.each([
    ["SUPERSEDED", "cancelled"],
    ["CANCELLED", "cancelled"],
    ["INTERRUPTED", "interrupted"],
    ["BUILD_FAILED", "failed"],
  ] as const)("that ends with %s is %s", async (code, state) => {
    const rig = createRig();
    const job = rig.engine.jobs.create(spec);
    await job.start({ level: "average" });
    await job.end(problem(code, "so it ended"));
    expect(stored(rig)).toMatchObject([{ state }]);
  });
});

describe("jobs that were open when the process died", () => {
  it("are interrupted after the restart, whatever they were doing", async () => {
    const rig = createRig();
    rig.engine.confirm.set("above-average", "ann");
    const pool = new Pool("builds", 1);
    await rig.engine.jobs.create(spec).start({ level: "average", pool });
    working(rig, {}, pool);
    working(rig, { level: "dangerous" });
    await working(rig).done;
    await rig.clock.advance(MINUTE);
    const next = await rig.restart();
    expect(stored(next).map(({ state }) => state)).toEqual(["interrupted", "interrupted", "interrupted", "ok"]);
    expect(stored(next)[0]).toMatchObject({
      error: { code: "INTERRUPTED", class: "transient" },
      endedMs: rig.clock.now(),
    });
  });

  it("let go when the process is told to end, and are taken up by the next", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    keyed(rig, builder, {}, "k");
    await builder.nextRun();
    const stopped = rig.engine.jobs.stopAll("Millrace is being stopped", 4_000);
    await rig.clock.advance(100);
    await stopped;
    expect(stored(rig)).toMatchObject([{ state: "interrupted", note: "Millrace is being stopped" }]);
    expect(rig.store.queries.results()).toEqual([]);
    const next = await rig.restart();
    const { shows } = keyed(next, builder, {}, "k");
    (await builder.nextRun()).succeed("image");
    await rig.clock.settle();
    expect(shows()).toBe("ok image");
    expect(next.logs.text(builder.runs[1]?.id ?? "")).toContain(
      `Takes up what was interrupted: job ${stored(rig)[0]?.id}`,
    );
  });

  it("that do not let go are waited for no longer than the grace", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ stubborn: true });
    keyed(rig, builder, {}, "k");
    await builder.nextRun();
    let ended = false;
    void rig.engine.jobs.stopAll("Millrace is being stopped", 4_000).then(() => (ended = true));
    await rig.clock.advance(3_900);
    expect(ended).toBe(false);
    await rig.clock.advance(200);
    expect(ended).toBe(true);
  });
});

describe("ids", () => {
  it("are those of the injected randomness: twice the same run has twice the same ids", async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => {
        const rig = createRig();
        const { job, done } = working(rig);
        await done;
        return job.id;
      }),
    );
    expect(ids[0]).toBe(ids[1]);
  });
});
