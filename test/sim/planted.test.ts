import { describe, expect, it } from "vitest";
import { find } from "./find.ts";
import { bugs } from "./planted.ts";

const LIMIT_MS = 300_000;

describe("the simulation notices", () => {
  it.each(bugs)(
    "$name, within $seeds seeds",
    async ({ planted, noticed, seeds }) => {
      const found = await find(seeds, planted, ({ checker }) => noticed.includes(checker));
      expect(found?.seed).toBeLessThanOrEqual(seeds);
    },
    LIMIT_MS,
  );
});
