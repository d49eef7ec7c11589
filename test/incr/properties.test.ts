import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Checked, changes, graphs } from "./random-graph.ts";

const numRuns = 400;

describe("a random graph under random changes", () => {
  it("has the values of naive re-evaluation, runs each node once a step and never shows it half of one", () => {
    fc.assert(
      fc.property(graphs, changes, (specs, steps) => {
        const checked = new Checked(specs);
        for (const step of steps) expect(checked.step(step)).toEqual([]);
      }),
      { numRuns },
    );
  });

  it("leaves nothing behind: as many edges as a graph that was made anew with the last values", () => {
    fc.assert(
      fc.property(graphs, changes, (specs, steps) => {
        const [old, fresh] = [new Checked(specs), new Checked(specs)];
        for (const step of steps) old.step(step);
        const numbers = old.meaning.numbers.map((value, at) => [at, value] as const);
        const collections = old.meaning.collections.map((items, at) => [at, items] as const);
        fresh.step({ numbers, collections });
        expect(old.edges).toBe(fresh.edges);
      }),
      { numRuns },
    );
  });
});
