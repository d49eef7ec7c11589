// Every engine computes what a plain evaluation computes, so that a comparison of times compares the same work.
import { beforeAll, describe, expect, it } from "vitest";
import { engineNames, loadEngine } from "../../bench/engines/engine.ts";
import { Arithmetic, numbersBelow, oracle } from "../../bench/graph/arithmetic.ts";
import { chain, comb, ladder, type Plan, star } from "../../bench/graph/plan.ts";
import { installRivals } from "../../bench/prepare.ts";

beforeAll(() => installRivals(() => {}));

const plans: readonly Plan[] = [
  star(50, "flat"),
  star(100, "tiered"),
  star(50, "unit"),
  ladder(5),
  comb(12),
  chain(20),
];

describe.each(engineNames)("%s", (name) => {
  it.each(plans)("agrees with a plain evaluation of $name", async (plan) => {
    const graph = (await loadEngine(name))(plan, new Arithmetic());
    const sources = [...plan.sources];
    expect(graph.root).toBe(oracle(plan, sources));
    const below = numbersBelow(sources.length);
    for (let round = 1; round <= 30; round++) {
      const source = below();
      if (round % 5 === 0) graph.setAll(sources.map((_, index) => (sources[index] = round * 31 + index)));
      else graph.set(source, (sources[source] = 5_000 + round));
      expect(graph.root).toBe(oracle(plan, sources));
    }
    graph.stop();
  });
});

describe("Millrace", () => {
  it("runs five terms and the join for one source of a star, and tells the root once for all of them", async () => {
    const plan = star(500, "flat");
    const arithmetic = new Arithmetic();
    const graph = (await loadEngine("millrace"))(plan, arithmetic);
    const before = { runs: arithmetic.runs, told: graph.told };
    graph.set(7, 99);
    expect(arithmetic.runs - before.runs).toBe(5);
    graph.setAll(plan.sources.map((source) => source + 1_000));
    expect(graph.told - before.told).toBe(2);
  });

  it.each([ladder(8), comb(8)])("never mixes the inputs of a $name", async (plan) => {
    const arithmetic = new Arithmetic();
    const graph = (await loadEngine("millrace"))(plan, arithmetic);
    graph.set(0, 17);
    expect({ mixed: arithmetic.mixed, told: graph.told }).toEqual({ mixed: 0, told: 2 });
  });
});

describe("the count of mixed inputs", () => {
  it("sees them where they are: RxJS by itself runs the end of a ladder twice a diamond", async () => {
    const arithmetic = new Arithmetic();
    const graph = (await loadEngine("rxjs"))(ladder(4), arithmetic);
    const before = graph.told;
    graph.set(0, 17);
    expect(graph.told - before).toBe(16);
    expect(arithmetic.mixed).toBeGreaterThan(0);
  });
});
