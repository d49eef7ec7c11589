import { describe, expect, it } from "vitest";
import { find, shrink } from "./find.ts";
import { planOf } from "./plan.ts";
import { bugs } from "./planted.ts";
import { runSeed } from "./run.ts";

describe("a seed", () => {
  it.each([1, 8, 23, 38, 56])("%i passes twice the very same way", async (seed) => {
    const [one, other] = [await runSeed(seed), await runSeed(seed)];
    expect(one.lines.length).toBeGreaterThan(100);
    expect(other.lines.join("\n")).toBe(one.lines.join("\n"));
  });

  it("is its own history", async () => {
    const [one, other] = [await runSeed(1), await runSeed(2)];
    expect(one.lines.join("\n")).not.toBe(other.lines.join("\n"));
  });

  it("that fails is made shorter, and fails still", async () => {
    const bug = bugs.find(({ name }) => name.startsWith("a commit that is confirmed"));
    const planted = bug?.planted ?? (() => ({}));
    const found = await find(20, planted, ({ checker }) => checker === "lost");
    const short = await shrink(found?.seed ?? 0, planted);
    expect(short.acts.length).toBeGreaterThan(0);
    expect(short.acts.length).toBeLessThan(planOf(found?.seed ?? 0).acts.length / 2);
  }, 60_000);
});
