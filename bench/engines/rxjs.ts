import { BehaviorSubject, combineLatest, distinctUntilChanged, map, type Observable, shareReplay } from "rxjs";
import { add } from "../graph/arithmetic.ts";
import type { Cell } from "../graph/plan.ts";
import { at, type Start } from "./engine.ts";

/** The way that RxJS offers by itself: combineLatest at each join. It has no transaction: sources change one by one. */
export const startRxjs: Start = (plan, arithmetic) => {
  const sources = plan.sources.map((value) => new BehaviorSubject(value));
  const cells: Observable<number>[] = [...sources];
  const input = (index: number): Observable<number> => at(cells, index);
  const make = (cell: Cell): Observable<number> => {
    const { salt } = cell;
    if (cell.kind === "one") {
      const compute = arithmetic.one(cell.rule);
      return input(cell.input).pipe(map((value) => compute(value, salt)));
    }
    if (cell.kind === "two") {
      const compute = arithmetic.two(cell.rule);
      const [first, second] = cell.inputs;
      return combineLatest([input(first), input(second)]).pipe(map(([a, b]) => compute(a, b, salt)));
    }
    const total = (values: readonly number[]): number => {
      let sum = 0;
      for (const value of values) sum = add(sum, value);
      return arithmetic.sum(sum);
    };
    return combineLatest(cell.inputs.map(input)).pipe(map(total));
  };
  for (const cell of plan.cells)
    cells.push(make(cell).pipe(distinctUntilChanged(), shareReplay({ bufferSize: 1, refCount: true })));
  const seen = { root: Number.NaN, told: 0 };
  const subscription = input(plan.root).subscribe((value) => {
    seen.root = value;
    seen.told += 1;
  });
  return {
    set: (source, value) => at(sources, source).next(value),
    setAll: (values) => {
      for (const [index, value] of values.entries()) at(sources, index).next(value);
    },
    get root() {
      return seen.root;
    },
    get told() {
      return seen.told;
    },
    stop: () => subscription.unsubscribe(),
  };
};
