import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Incremental, JoinNode, mapNode, sizeOf, Variable } from "../../src/incr/index.ts";

const INPUTS = 5;
const edit = fc.oneof(
  fc.record({ do: fc.constant("set" as const), input: fc.nat(INPUTS - 1), to: fc.nat(9) }),
  fc.record({ do: fc.constant("add" as const), input: fc.nat(INPUTS - 1), to: fc.constant(0) }),
  fc.record({ do: fc.constant("remove" as const), input: fc.nat(INPUTS - 1), to: fc.constant(0) }),
);

/** A sum over a join, which checks what it is told against what it was told before. */
function summed() {
  const graph = new Incremental();
  const inputs = Array.from({ length: INPUTS }, (_none, at) => new Variable(graph, at));
  const told = new Map<number, number>();
  const join = new JoinNode<number, number>(graph, [], {
    update: (slot, before, after) => {
      expect(told.get(slot)).toBe(before);
      if (after === undefined) told.delete(slot);
      else told.set(slot, after);
    },
    result: () => [...told.values()].reduce((sum, value) => sum + value, 0),
  });
  return { graph, inputs, told, join };
}

describe("a join whose inputs come and go", () => {
  it("has the sum of those that are there, the same one twice too, and holds on to no other", () => {
    fc.assert(
      fc.property(fc.array(fc.array(edit, { maxLength: 6 }), { maxLength: 8 }), (steps) => {
        const { graph, inputs, told, join } = summed();
        const slots: { readonly slot: number; readonly of: Variable<number> }[] = [];
        const total = mapNode(join, (sum) => sum);
        for (const edits of steps) {
          for (const { do: what, input, to } of edits) {
            const of = inputs[input];
            if (of === undefined) continue;
            if (what === "set") of.set(to);
            else if (what === "add") slots.push({ slot: join.add(of), of });
            else for (const gone of slots.splice(input, 1)) join.remove(gone.slot);
          }
          graph.propagate();
          expect(total.value).toBe(slots.reduce((sum, { of }) => sum + of.latest, 0));
          expect(told.size).toBe(slots.length);
          expect(inputs.map(({ readers }) => sizeOf(readers))).toEqual(
            inputs.map((one) => slots.filter(({ of }) => of === one).length),
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});
