import { map, pair } from "../../src/term/combinators.ts";
import type { Term } from "../../src/term/term.ts";
import { World } from "../../src/term/world.ts";
import type { Cell } from "../graph/plan.ts";
import { at, type Start } from "./engine.ts";
import { boxedTerm, boxOf, jobOf, repoOf, Source, sumTerm, valueOf } from "./terms.ts";

/**
 * Millrace with all that its terms have in a pipeline: boxes with keys, labels and lines in a World, outputs with
 * states, answers with metadata, and the list of boxes that each step has changed.
 */
export const startMillrace: Start = (plan, arithmetic) => {
  const world = new World();
  const sources = plan.sources.map((value, branch) =>
    world.grouped(repoOf(branch), () => new Source(world, boxOf(branch, "head"), value)),
  );
  const terms: Term<number>[] = sources.map(({ term }) => term);
  const input = (index: number): Term<number> => at(terms, index);
  const make = (cell: Cell): Term<number> => {
    const { salt, branch, verb } = cell;
    if (cell.kind === "sum") return sumTerm(world, cell.inputs.map(input), undefined, arithmetic);
    const box = boxOf(branch, verb);
    if (cell.kind === "one")
      return boxedTerm(input(cell.input), box, jobOf(verb, terms.length), arithmetic.one(cell.rule), salt);
    const compute = arithmetic.two(cell.rule);
    const both = pair(input(cell.inputs[0]), input(cell.inputs[1]));
    return map(both, ([first, second]) => compute(first, second, salt), { box });
  };
  for (const cell of plan.cells) terms.push(world.grouped(repoOf(cell.branch), () => make(cell)));
  const { node } = input(plan.root);
  const step = (): void => {
    world.graph.propagate();
    world.takeChanged();
  };
  const seen = { told: 0 };
  const stop = node.watch(() => void (seen.told += 1));
  step();
  return {
    set: (source, value) => {
      at(sources, source).set(value);
      step();
    },
    setAll: (values) => {
      for (const [index, value] of values.entries()) at(sources, index).set(value);
      step();
    },
    get root() {
      return valueOf(node);
    },
    get told() {
      return seen.told;
    },
    stop,
  };
};
