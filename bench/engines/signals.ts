import { add } from "../graph/arithmetic.ts";
import type { Cell as PlanCell } from "../graph/plan.ts";
import { at, type Start } from "./engine.ts";

/** What the signal libraries have in common; `Cell` is the library's own object, nothing is wrapped. */
export interface SignalKit<Source extends Cell, Cell> {
  source(value: number): Source;
  computed(compute: () => number): Cell;
  read(cell: Cell): number;
  write(source: Source, value: number): void;
  batch(work: () => void): void;
  /** Runs at once and whenever something that it read has changed; returns how to stop. */
  effect(run: () => void): () => void;
}

export const startSignals =
  <Source extends Cell, Cell>(kit: SignalKit<Source, Cell>): Start =>
  (plan, arithmetic) => {
    const sources = plan.sources.map((value) => kit.source(value));
    const cells: Cell[] = [...sources];
    const make = (cell: PlanCell): Cell => {
      const { salt } = cell;
      if (cell.kind === "one") {
        const compute = arithmetic.one(cell.rule);
        const input = at(cells, cell.input);
        return kit.computed(() => compute(kit.read(input), salt));
      }
      if (cell.kind === "two") {
        const compute = arithmetic.two(cell.rule);
        const first = at(cells, cell.inputs[0]);
        const second = at(cells, cell.inputs[1]);
        return kit.computed(() => compute(kit.read(first), kit.read(second), salt));
      }
      const inputs = cell.inputs.map((input) => at(cells, input));
      return kit.computed(() => {
        let total = 0;
        for (const input of inputs) total = add(total, kit.read(input));
        return arithmetic.sum(total);
      });
    };
    for (const cell of plan.cells) cells.push(make(cell));
    const seen = { root: Number.NaN, told: 0 };
    const root = at(cells, plan.root);
    const stop = kit.effect(() => {
      seen.root = kit.read(root);
      seen.told += 1;
    });
    return {
      set: (source, value) => kit.write(at(sources, source), value),
      setAll: (values) =>
        kit.batch(() => {
          for (const [index, value] of values.entries()) kit.write(at(sources, index), value);
        }),
      get root() {
        return seen.root;
      },
      get told() {
        return seen.told;
      },
      stop,
    };
  };
