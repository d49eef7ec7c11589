import { describe, expect, it } from "vitest";
import { cached } from "../../src/engine/cache/cache.ts";
import { deploy } from "../../src/engine/effects/deploy.ts";
import type { Job } from "../../src/engine/job.ts";
import { monitor } from "../../src/engine/monitor.ts";
import { map, pair } from "../../src/term/combinators.ts";
import { failure, type Result, success } from "../../src/term/output.ts";
import { createRig, DummyBuilder, dummyMonitor, FakeWorld, textCodec, trace } from "../../src/testing/index.ts";
import { box, HOUR, MINUTE, transient } from "./cache/support.ts";

const DAY = 24 * HOUR;
const MONTH = 30 * DAY;

/** A builder that takes ten seconds, and whose every seventh run finds the outside away. */
class Working extends DummyBuilder {
  readonly #rig: ReturnType<typeof createRig>;
  count = 0;
  constructor(rig: ReturnType<typeof createRig>, id: string) {
    super({ id });
    this.#rig = rig;
  }
  override async build(_context: string, key: string, job: Job): Promise<Result<string>> {
    const started = await job.start({ level: this.level });
    if (!started.ok) return started;
    this.count += 1;
    await this.#rig.clock.sleep(10_000);
    return this.count % 7 === 0 ? failure(transient()) : success(`${key} ${this.count}`);
  }
}

/** A month of one repository: a sweep a minute, a base image that expires every four hours, a service. */
async function month() {
  const rig = createRig();
  const { engine, clock } = rig;
  const world = new FakeWorld(clock);
  world.byHand("web", { running: "nothing" });
  const heads = dummyMonitor("web/heads", textCodec, MINUTE);
  heads.set("day 0");
  const head = monitor(engine, box("web/heads"), heads.spec);
  const [looked, built] = [new Working(rig, "look-up"), new Working(rig, "build")];
  const base = cached(
    engine,
    box("web/base"),
    looked,
    "",
    map(head.term, () => "base"),
    { validForMs: 4 * HOUR },
  );
  const key = map(pair(head.term, base), ([commit]) => commit);
  const image = cached(engine, box("web/build"), built, "", key);
  const fresh = (): Promise<Result<unknown>> => head.monitor.refresh();
  deploy(engine, box("web/deploy"), world.kind(rig), "web", image, { owner: "demo", fresh });
  const lines = trace(engine);
  for (let day = 1; day <= MONTH / DAY; day += 1) {
    if (day % 9 === 0)
      heads.fail(); // a bad day of the forge
    else heads.set(`day ${day}`);
    await clock.advance(DAY);
  }
  const counts = { reads: heads.reads, lookUps: looked.count, builds: built.count, moves: world.moves.length };
  return { lines, counts };
}

/** With the time that the processor took: what else the machine does is not counted. */
async function timed() {
  const before = process.cpuUsage();
  const passed = await month();
  return { ...passed, cpuMs: process.cpuUsage(before).user / 1_000 };
}

describe("a month of virtual time", () => {
  it("passes in under a second, and each time the same way", async () => {
    const [first, second, third] = [await timed(), await timed(), await timed()]; // the first ones compile it too
    expect(second.lines).toEqual(first.lines);
    expect(third.lines).toEqual(first.lines);
    expect(first.lines.length).toBeGreaterThan(2_000);
    // Three days without an answer are read in back-off, five minutes apart at most.
    expect(first.counts.reads).toBeGreaterThan(27 * (DAY / MINUTE));
    expect(first.counts).toMatchObject({ moves: 27 });
    expect(first.counts.lookUps).toBeGreaterThan(MONTH / (4 * HOUR));
    expect(Math.min(first.cpuMs, second.cpuMs, third.cpuMs)).toBeLessThan(1_000);
  }, 60_000);
});
