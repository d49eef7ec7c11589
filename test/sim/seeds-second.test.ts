import { expect, it } from "vitest";
import { runSeeds, SEEDS_LIMIT_MS } from "./seeds.ts";

it(
  "holds in the second five hundred seeds",
  async () => {
    const { failures, starts, moves } = await runSeeds(501, 500);
    expect(failures).toEqual([]);
    // a world in which nothing happens would pass as well
    expect(starts).toBeGreaterThan(1_500);
    expect(moves).toBeGreaterThan(3_000);
  },
  SEEDS_LIMIT_MS,
);
