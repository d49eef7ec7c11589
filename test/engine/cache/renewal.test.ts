import { describe, expect, it } from "vitest";
import { createRig, DummyBuilder, type Rig, repeatable } from "../../../src/testing/index.ts";
import { failed, HOUR, keyed, MINUTE, transient } from "./support.ts";

/** Next to no jitter, and yet no id twice. */
function tiny(): () => number {
  let count = 0;
  return () => (count += 1) / 2 ** 32;
}

/** A key with a value that was made at the start of the clock. */
async function built(rig: Rig, builder: DummyBuilder, options: { readonly validForMs?: number } = {}) {
  const made = keyed(rig, builder, options, "k");
  (await builder.nextRun()).succeed("old");
  await rig.clock.settle();
  return made;
}

const rebuild = async (rig: Rig) => {
  const [name = ""] = rig.engine.jobs.rebuilders.keys();
  const again = rig.engine.jobs.rebuilders.get(name);
  if (again === undefined) throw new Error("nothing to rebuild");
  return again();
};

describe("validFor", () => {
  it("runs again in the background and keeps the old value meanwhile (D9, D19)", async () => {
    const rig = createRig({ random: tiny() });
    const builder = new DummyBuilder();
    const { shows } = await built(rig, builder, { validForMs: 4 * HOUR });
    await rig.clock.advance(4 * HOUR - 1);
    expect(builder.runs.length).toBe(1);
    await rig.clock.advance(1);
    expect(shows()).toBe("ok old, running anew");
    builder.runs[1]?.succeed("new");
    await rig.clock.settle();
    expect(shows()).toBe("ok new");
    await rig.clock.advance(4 * HOUR);
    expect(builder.runs.length).toBe(3);
  });

  it("tells what it was for: the event is the timer", async () => {
    const rig = createRig({ random: tiny() });
    const builder = new DummyBuilder();
    const { jobs } = await built(rig, builder, { validForMs: HOUR });
    await rig.clock.advance(HOUR);
    const events = rig.store.queries.events(jobs().at(-1)?.events ?? []);
    expect(events).toMatchObject([{ kind: "timer", subject: "built", detail: "the result has expired" }]);
  });

  it("spreads the end over a tenth, so that what was made together does not expire together", async () => {
    const rig = createRig({ random: repeatable(7) });
    const builder = new DummyBuilder();
    const count = 20;
    for (let at = 0; at < count; at += 1) {
      keyed(rig, builder, { name: `n${at}`, validForMs: 10 * HOUR }, `k${at}`);
      (await builder.nextRun()).succeed("");
    }
    await rig.clock.advance(10 * HOUR);
    const starts = builder.runs.slice(count).map(({ id }) => rig.store.queries.job(id)?.createdMs ?? 0);
    const fromMs = rig.clock.now() - 10 * HOUR;
    expect(starts.length).toBe(count);
    expect(Math.min(...starts)).toBeGreaterThanOrEqual(fromMs + 9 * HOUR);
    expect(Math.max(...starts) - Math.min(...starts)).toBeGreaterThan(HOUR / 2);
  });

  it("takes the shortest of two on one key", async () => {
    const rig = createRig({ random: tiny() });
    const builder = new DummyBuilder();
    keyed(rig, builder, { name: "long", validForMs: 8 * HOUR }, "k");
    keyed(rig, builder, { name: "short", validForMs: 2 * HOUR }, "k");
    (await builder.nextRun()).succeed("");
    await rig.clock.advance(2 * HOUR);
    expect(builder.runs.length).toBe(2);
  });

  it("holds over a restart, also when it ended while nobody was there", async () => {
    const rig = createRig({ random: tiny() });
    const builder = new DummyBuilder();
    await built(rig, builder, { validForMs: 4 * HOUR });
    await rig.clock.advance(3 * HOUR);
    const second = await rig.restart();
    const again = keyed(second, builder, { validForMs: 4 * HOUR }, "k");
    await rig.clock.advance(HOUR - 1);
    expect([again.shows(), builder.runs.length]).toEqual(["ok old", 1]);
    second.kill();
    await rig.clock.advance(5 * HOUR);
    const third = await second.restart();
    const late = keyed(third, builder, { validForMs: 4 * HOUR }, "k");
    await rig.clock.advance(0);
    expect([late.shows(), builder.runs.length]).toEqual(["ok old, running anew", 2]);
  });

  it("gives way in a pool to what somebody waits for (D13)", async () => {
    const rig = createRig({ random: tiny() });
    const { Pool } = await import("../../../src/engine/pool.ts");
    const pool = new Pool("builds", 1);
    const builder = new DummyBuilder({ pool });
    await built(rig, builder, { validForMs: HOUR });
    const free = await pool.acquire(new AbortController().signal);
    await rig.clock.advance(HOUR); // the renewal waits for the pool
    keyed(rig, builder, { name: "wanted" }, "other");
    await rig.clock.settle();
    free?.();
    await rig.clock.settle();
    expect(builder.runs.map(({ key }) => key)).toEqual(["k", "other"]);
  });
});

describe("a renewal that fails by the outside's fault", () => {
  it("keeps the value, says since when and why, and is tried again", async () => {
    const rig = createRig({ random: tiny() });
    const builder = new DummyBuilder();
    const { shows, term } = await built(rig, builder, { validForMs: HOUR });
    await rig.clock.advance(HOUR);
    const sinceMs = rig.clock.now();
    builder.runs[1]?.fail(transient());
    await rig.clock.settle();
    expect(term.metadata).toMatchObject({ staleSinceMs: sinceMs, detail: "not renewed: no answer" });
    (await rig.clock.until(() => builder.runs[2])).fail(transient("still no answer"));
    await rig.clock.settle();
    expect(term.metadata).toMatchObject({ staleSinceMs: sinceMs, detail: "not renewed: still no answer" });
    (await rig.clock.until(() => builder.runs[3])).succeed("new");
    await rig.clock.settle();
    expect(shows()).toBe("ok new");
  });

  it("keeps the value over a restart too", async () => {
    const rig = createRig({ random: tiny() });
    const builder = new DummyBuilder();
    await built(rig, builder, { validForMs: HOUR });
    await rig.clock.advance(HOUR);
    builder.runs[1]?.fail(transient());
    await rig.clock.settle();
    await rig.clock.advance(500);
    const next = await rig.restart();
    const { shows, jobs } = keyed(next, builder, { validForMs: HOUR }, "k");
    await rig.clock.advance(0);
    expect(shows()).toBe("ok old, running anew");
    expect(jobs().map(({ build }) => build)).toEqual([1, 2, 3]);
  });
});

describe("a renewal that fails by the user's fault", () => {
  it("is told: the old value is no longer true", async () => {
    const rig = createRig({ random: tiny() });
    const builder = new DummyBuilder();
    const { shows } = await built(rig, builder, { validForMs: HOUR });
    await rig.clock.advance(HOUR);
    builder.runs[1]?.fail(failed("no such tag"));
    await rig.clock.settle();
    expect(shows()).toBe("failed no such tag");
    await rig.clock.advance(HOUR);
    expect(builder.runs.length).toBe(3); // and looked at again when that expires
  });
});

describe("Rebuild", () => {
  it("runs again and shows the old value meanwhile (D10, D15)", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    const { shows, jobs } = await built(rig, builder);
    const answer = await rebuild(rig);
    await rig.clock.settle();
    expect(shows()).toBe("ok old, running anew");
    expect(jobs().map(({ id, build }) => [id, build])).toEqual([
      [builder.runs[0]?.id, 1],
      [answer.ok ? answer.value : "", 2],
    ]);
    builder.runs[1]?.succeed("new");
    await rig.clock.settle();
    expect(shows()).toBe("ok new");
    expect(rig.store.queries.events(jobs().at(-1)?.events ?? [])).toMatchObject([{ kind: "person" }]);
  });

  it("pressed twice runs once", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    await built(rig, builder);
    const answers = await Promise.all([rebuild(rig), rebuild(rig), rebuild(rig)]);
    await rig.clock.settle();
    expect(answers.map(({ ok }) => ok)).toEqual([true, false, false]);
    expect(builder.runs.length).toBe(2);
    expect(await rebuild(rig)).toMatchObject({ ok: false, error: { code: "NOT_POSSIBLE" } });
  });

  it("just before it expires runs once", async () => {
    const rig = createRig({ random: tiny() });
    const builder = new DummyBuilder();
    await built(rig, builder, { validForMs: HOUR });
    await rig.clock.advance(HOUR - 1);
    const answer = rebuild(rig);
    await rig.clock.advance(10);
    expect((await answer).ok).toBe(true);
    expect(builder.runs.length).toBe(2);
  });

  it("is kept over a restart until there is a result", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    await built(rig, builder);
    await rebuild(rig);
    await rig.clock.settle();
    const next = await rig.restart();
    const { shows, jobs } = keyed(next, builder, {}, "k");
    await rig.clock.settle();
    expect(shows()).toBe("ok old, running anew");
    expect(jobs().map(({ state }) => state)).toEqual(["ok", "interrupted", "running"]);
    builder.runs.at(-1)?.succeed("new");
    await rig.clock.settle();
    const third = keyed(await next.restart(), builder, {}, "k");
    await rig.clock.advance(MINUTE);
    expect([third.shows(), builder.runs.length]).toEqual(["ok new", 3]);
  });

  it("is not forgotten when nobody wanted the key for a while", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ autoCancel: true });
    const { input, shows } = await built(rig, builder);
    await rebuild(rig);
    await rig.clock.settle();
    input.set("other");
    await rig.clock.settle();
    input.set("k");
    await rig.clock.settle();
    expect(shows()).toBe("ok old, running anew");
    expect(builder.runs.map(({ key }) => key)).toEqual(["k", "k", "other", "k"]);
  });

  it("after a failure of the outside's is at once", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    const { shows } = keyed(rig, builder, {}, "k");
    (await builder.nextRun()).fail(transient());
    await rig.clock.settle();
    await rebuild(rig);
    await rig.clock.settle();
    builder.runs[1]?.succeed("image");
    await rig.clock.advance(HOUR);
    expect([shows(), builder.runs.length]).toEqual(["ok image", 2]);
  });
});

describe("a result", () => {
  it("survives a restart: nothing runs again (D11, D18)", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    await built(rig, builder);
    const { shows, jobs } = keyed(await rig.restart(), builder, {}, "k");
    await rig.clock.advance(HOUR);
    expect([shows(), builder.runs.length, jobs().length]).toEqual(["ok old", 1, 1]);
  });

  it("is made again when the process died before it was written down", async () => {
    const rig = createRig({ dies: (point) => point === "before commit job ok result" });
    const builder = new DummyBuilder();
    keyed(rig, builder, {}, "k");
    (await builder.nextRun()).succeed("lost");
    await rig.clock.settle();
    const { shows, jobs } = keyed(await rig.restart(), builder, {}, "k");
    await rig.clock.settle();
    expect(shows()).toBe("active running");
    expect(jobs().map(({ state }) => state)).toEqual(["interrupted", "running"]);
  });

  it("of a shape that is not known any more is made again (D11)", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    await built(rig, builder);
    class Newer extends DummyBuilder {
      override readonly value = { encode: (value: string) => [value], decode: () => undefined };
    }
    const newer = new Newer();
    keyed(await rig.restart(), newer, {}, "k");
    await rig.clock.settle();
    expect(newer.runs.length).toBe(1);
  });
});

describe("a latched value (D3, D19)", () => {
  it("stays while that of the next key is made", async () => {
    const rig = createRig();
    const builder = new DummyBuilder({ autoCancel: true });
    const { input, shows } = keyed(rig, builder, { latched: true }, "k1");
    const seen = async (): Promise<string> => {
      await rig.clock.settle();
      return shows();
    };
    expect(await seen()).toBe("active running");
    builder.runs[0]?.succeed("one");
    expect(await seen()).toBe("ok one");
    input.set("k2");
    expect(await seen()).toBe("ok one, running anew");
    builder.runs[1]?.fail(failed());
    expect(await seen()).toBe("failed exit status 1");
    input.set("k3");
    expect(await seen()).toBe("ok one, running anew");
    builder.runs[2]?.succeed("three");
    expect(await seen()).toBe("ok three");
  });
});

describe("why a job ran", () => {
  it("is written down: its events, its inputs, and which of them changed", async () => {
    const rig = createRig();
    const builder = new DummyBuilder();
    class Two extends DummyBuilder {
      override inputs(key: string): Readonly<Record<string, string>> {
        return { commit: key, dockerfile: "Dockerfile" };
      }
    }
    const two = new Two();
    const { input, jobs } = keyed(rig, two, {}, "1a2b");
    (await two.nextRun()).succeed("");
    await rig.clock.settle();
    input.set("3c4d");
    await rig.clock.settle();
    const { queries } = rig.store;
    const [first, second] = jobs();
    const changed = (id = ""): readonly unknown[] =>
      queries.jobInputs(id).map(({ name, text, changed }) => [name, text, changed]);
    expect(changed(first?.id)).toEqual([
      ["commit", "1a2b", true],
      ["dockerfile", "Dockerfile", true],
    ]);
    expect(changed(second?.id)).toEqual([
      ["commit", "3c4d", true],
      ["dockerfile", "Dockerfile", false],
    ]);
    expect(queries.events(second?.events ?? [])).toMatchObject([{ kind: "watch", detail: "set by the test" }]);
    expect(builder.runs.length).toBe(0);
  });
});
