// What an earlier process has sent is followed by the next one: it cannot be cancelled, at no point, since it is out of hand.
import { describe, expect, it } from "vitest";
import { deploy } from "../../../src/engine/effects/deploy.ts";
import type { Settled } from "../../../src/engine/effects/target.ts";
import { problem } from "../../../src/engine/errors.ts";
import { type Result, success } from "../../../src/term/output.ts";
import { createRig, dummyInput, FakeWorld, TestClock } from "../../../src/testing/index.ts";
import { box } from "../cache/support.ts";
import { type Deploying, deploying } from "./lane-support.ts";

/** The write is in by then, whether its record is or not. */
const deaths = ["after apply", "before commit intent applied", "after commit intent applied", "settle"];

async function died(at: string): Promise<Deploying> {
  let dead = false;
  const made = deploying({ dies: (point) => point === at && !dead && (dead = true) }, "one");
  await made.pass(3_000);
  return made;
}

/** The next process; what is done at each point that it passes while a job is open, `n` counted from 1. */
async function recover(at: string, act: (n: number, next: Deploying) => void): Promise<Deploying> {
  const before = await died(at);
  let points = 0;
  const made: { next?: Deploying } = {};
  made.next = await before.restart("one", {
    dies: () => {
      if (made.next === undefined || made.next.rig.engine.jobs.open.size === 0) return false;
      points += 1;
      act(points, made.next);
      return false;
    },
  });
  await made.next.pass(5 * 60_000);
  return made.next;
}

describe.each(deaths)("Cancel while a deploy is followed that was left by a death at '%s'", (at) => {
  it("is refused at every point, and the deploy is verified, once", async () => {
    let points = 0;
    await recover(at, (n) => void (points = n));
    expect(points).toBeGreaterThan(4);
    for (let n = 1; n <= points; n += 1) {
      const answers: Promise<Result<void>>[] = [];
      const { shows, verbs, intents, jobs } = await recover(at, (passed, { rig }) => {
        const [job] = rig.engine.jobs.open.values();
        if (passed !== n || job === undefined) return;
        // Nobody can press anything before what runs now has come to a halt.
        queueMicrotask(() => void answers.push(rig.engine.jobs.cancel(job.id, "ann", "no")));
      });
      expect((await Promise.all(answers)).map(({ ok }) => ok)).toEqual([false]);
      expect([shows(), verbs(), intents()]).toEqual(["ok one", ["apply"], ["1 verified"]]);
      expect(jobs().map(({ state }) => state)).toEqual(["interrupted", "ok"]);
    }
  });
});

it("a change that cannot be followed is asked about soon, however long the one before it could not be", async () => {
  const clock = new TestClock();
  const rig = createRig({ clock });
  const world = new FakeWorld(clock);
  world.byHand("web", { running: "old" });
  const asked: number[] = [];
  const settle = async (): Promise<Settled> => {
    asked.push(clock.elapsed());
    return { state: "unreachable", error: problem("ENGINE_UNREACHABLE", "web does not answer") };
  };
  const input = dummyInput(rig.engine, box("web/image"), "one");
  const options = { owner: "demo", fresh: async () => success(undefined) };
  deploy(rig.engine, box("web/deploy"), Object.assign(world.kind(rig), { settle }), "web", input.term, options);
  await clock.advance(10 * 60_000);
  world.byHand("web", { running: "else" }); // so the intent ends without an answer
  await clock.advance(60_000);
  const before = asked.length;
  expect(before).toBeGreaterThan(30);
  input.set("two");
  await clock.advance(60_000);
  const [first = 0, second = 0] = asked.slice(before);
  expect(second - first).toBeGreaterThan(0);
  expect(second - first).toBeLessThan(3_000);
});
