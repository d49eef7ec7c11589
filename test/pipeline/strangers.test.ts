import { describe, expect, it } from "vitest";
import { Strangers } from "../../src/pipeline/strangers.ts";
import { createRig } from "../../src/testing/index.ts";

describe("strangers", () => {
  it("are known for an hour, by a thousand: the one who was noted longest ago is forgotten first", async () => {
    const { clock } = createRig();
    const strangers = new Strangers(clock);
    const note = (from: number, to: number): void => {
      for (let user = from; user < to; user += 1) expect(strangers.isKnown(user)).toBe(false);
    };
    note(0, 1_000);
    expect(strangers.isKnown(0)).toBe(true);
    note(1_000, 1_001);
    expect(strangers.isKnown(1)).toBe(true);
    expect(strangers.isKnown(0)).toBe(false);
    await clock.advance(60 * 60_000);
    expect(strangers.isKnown(999)).toBe(false);
  });
});
