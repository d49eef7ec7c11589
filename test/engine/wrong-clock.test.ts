// A wall clock that is put forward or back, or was at 1970 at the start: it dates things, and decides nothing.
import { describe, expect, it } from "vitest";
import { Sessions } from "../../src/engine/access/sessions.ts";
import { monitor } from "../../src/engine/monitor.ts";
import { createRig, DummyBuilder, dummyMonitor, START_MS, TestClock, textCodec } from "../../src/testing/index.ts";
import { FailureLimit } from "../../src/web/failure-limit.ts";
import { box, HOUR, keyed, MINUTE } from "./cache/support.ts";
import { type Deploying, deploying } from "./effects/lane-support.ts";

const DAY = 24 * HOUR;
const jumps = [-HOUR, DAY, -START_MS];

/** One value, a death while it moves, and another one; the clock jumps at the n-th point that is passed. */
async function deployTwice(jumpMs: number, n: number): Promise<{ readonly made: Deploying; readonly passed: number }> {
  const clock = new TestClock();
  let passed = 0;
  const dies = (): false => {
    passed += 1;
    if (passed === n) clock.jump(jumpMs);
    return false;
  };
  const first = deploying({ clock, dies }, "one");
  await first.pass(2_000);
  const made = await first.restart("one", { dies });
  await made.pass();
  made.input.set("two");
  await made.pass();
  return { made, passed };
}

describe("a deploy", () => {
  it.each(jumps)("goes the same way whenever the clock is put %i ms on", async (jumpMs) => {
    const whole = await deployTwice(0, 0);
    const right = [whole.made.moves(), whole.made.verbs(), whole.made.shows(), whole.made.intents()];
    expect(right[0]).toEqual(["one", "two"]);
    expect(whole.passed).toBeGreaterThan(40);
    for (let n = 1; n <= whole.passed; n += 1) {
      const { made } = await deployTwice(jumpMs, n);
      expect([n, made.moves(), made.verbs(), made.shows(), made.intents()]).toEqual([n, ...right]);
    }
  });

  it("is the newest by its number, not by its date", async () => {
    const { made } = await deployTwice(-HOUR, 30);
    const rows = made.rows();
    expect(rows.map(({ generation }) => generation)).toEqual([1, 2]);
    expect(rows[1]?.createdMs).toBeLessThan(rows[0]?.createdMs ?? 0);
    expect(made.jobs().map(({ state }) => state)).toEqual(["interrupted", "ok", "ok"]);
    expect(new Set(made.jobs().map(({ id }) => id)).size).toBe(3);
    const [first, , last] = made.jobs();
    expect((last?.id ?? "") < (first?.id ?? "")).toBe(true);
  });
});

describe("what comes again after a while", () => {
  it.each(jumps)("is no storm and no silence when the clock is put %i ms on", async (jumpMs) => {
    const counts: number[] = [];
    for (const byMs of [0, jumpMs]) {
      const rig = createRig();
      const heads = dummyMonitor("heads", textCodec, MINUTE);
      const builder = new DummyBuilder();
      keyed(rig, builder, { validForMs: 4 * HOUR }, "k");
      (await builder.nextRun()).succeed("v");
      heads.set("1a2b");
      monitor(rig.engine, box("heads"), heads.spec);
      await rig.clock.advance(HOUR);
      rig.clock.jump(byMs);
      await rig.clock.advance(HOUR);
      expect(builder.runs.length).toBe(1);
      await rig.clock.advance(2 * HOUR);
      counts.push(heads.reads, builder.runs.length);
    }
    expect(counts.slice(2)).toEqual(counts.slice(0, 2));
    expect(counts[1]).toBe(2);
  });

  it.each(jumps)("is over in its time after a restart too, with a clock that was put %i ms on", async (jumpMs) => {
    const rig = createRig();
    const builder = new DummyBuilder();
    keyed(rig, builder, { validForMs: 4 * HOUR }, "k");
    (await builder.nextRun()).succeed("v");
    await rig.clock.settle();
    rig.clock.jump(jumpMs);
    const next = await rig.restart();
    const again = new DummyBuilder();
    keyed(next, again, { validForMs: 4 * HOUR }, "k");
    await next.clock.advance(4 * HOUR);
    expect(again.runs.length).toBe(1);
  });
});

it("a jump ends no session, and prolongs none", async () => {
  const clock = new TestClock();
  const sessions = new Sessions(clock);
  const { secret } = sessions.open({ kind: "state", bond: "b" });
  clock.jump(DAY);
  expect(sessions.find(secret)).toBeDefined();
  clock.jump(-2 * DAY);
  await clock.advance(12 * HOUR);
  expect(sessions.find(secret)).toBeUndefined();
});

it("a jump opens no door: too many tries are too many until a minute has really passed", async () => {
  const clock = new TestClock();
  const limit = new FailureLimit(clock);
  for (let tries = 0; tries < 10; tries += 1) limit.failed("::1");
  clock.jump(DAY);
  expect(limit.waitMs("::1")).toBe(MINUTE);
  clock.jump(-2 * DAY);
  await clock.advance(MINUTE);
  expect(limit.waitMs("::1")).toBe(0);
});
