import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindNode, Incremental, mapNode, Variable } from "../../src/incr/index.ts";
import { Checked, changes, graphs } from "./random-graph.ts";

describe("listeners", () => {
  it("are called once for each step in which the value changed, as long as they have not left", () => {
    const watched = fc.array(fc.record({ node: fc.nat(30), leavesAfter: fc.nat(4) }), { maxLength: 12 });
    fc.assert(
      fc.property(graphs, changes, watched, (specs, steps, wanted) => {
        const checked = new Checked(specs);
        const listeners = wanted.map(({ node, leavesAfter }) => {
          const of = checked.nodes[node % checked.nodes.length];
          const said: unknown[] = [];
          let seen = of?.value;
          return { of, said, seen: () => seen, see: (value: number | undefined) => (seen = value), leavesAfter };
        });
        const leave = listeners.map(({ of, said, leavesAfter }, at) =>
          of?.watch(() => {
            said.push(of.value);
            if (said.length > leavesAfter) leave[at]?.();
          }),
        );
        for (const step of steps) {
          const before = listeners.map(({ said }) => [...said]);
          checked.step(step);
          for (const [at, { of, said, seen, see, leavesAfter }] of listeners.entries()) {
            const earlier = before[at] ?? [];
            const moved = of?.value !== seen() && earlier.length <= leavesAfter;
            expect(said).toEqual(moved ? [...earlier, of?.value] : earlier);
            see(of?.value);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("who are sent away at the end of a step, by a clean-up or another listener, hear nothing of it any more", () => {
    const graph = new Incremental();
    const start = new Variable(graph, 1);
    const last = mapNode(start, (value) => value);
    const said: string[] = [];
    let leave = (): void => {};
    start.watch(() => leave());
    const left = last.watch(() => said.push(`listener ${last.value}`));
    const cleaned = last.watch(() => said.push(`cleaned up ${last.value}`));
    bindNode(start, () => {
      graph.scope.onRelease(cleaned);
      return start;
    });
    graph.propagate();
    leave = left;
    start.set(2);
    graph.propagate();
    expect(said).toEqual(["listener 1", "cleaned up 1"]);
  });
});
