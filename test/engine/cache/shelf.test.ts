import { describe, expect, it } from "vitest";
import { RESTED_MAX } from "../../../src/engine/cache/shelf.ts";
import { createRig, DummyBuilder } from "../../../src/testing/index.ts";
import { keyed } from "./support.ts";

const KEYS = Array.from({ length: 2 * RESTED_MAX }, (_, n) => `k${n}`);

/** A rig whose builder has made all keys, one after the other. */
async function made() {
  const rig = createRig();
  const builder = new DummyBuilder();
  const built = keyed(rig, builder);
  for (const key of KEYS) {
    built.input.set(key);
    const run = await builder.nextRun();
    run.succeed(`image of ${key}`);
    await rig.clock.settle();
  }
  return { builder, ...built };
}

describe("results that nobody uses any more", () => {
  it("leave memory, the oldest first, however many are made", async () => {
    const { rig } = await made();
    expect(rig.engine.cache.size).toBe(1);
    expect(rig.engine.cache.rested).toBe(RESTED_MAX);
  });

  it("are found again, those that have left memory too: nothing is run twice", async () => {
    const { rig, builder, input, shows } = await made();
    for (const key of KEYS.toReversed()) {
      input.set(key);
      await rig.clock.settle();
      expect(shows()).toBe(`ok image of ${key}`);
    }
    expect(builder.runs.length).toBe(KEYS.length);
    expect(rig.engine.cache.rested).toBe(RESTED_MAX);
  });
});
