import { autorun, computed, configure, observable, runInAction } from "mobx";
import { startSignals } from "./signals.ts";

configure({ enforceActions: "never" });

interface Cell {
  get(): number;
}

export const startMobx = startSignals<Cell & { set(value: number): void }, Cell>({
  source: (value) => observable.box(value, { deep: false }),
  computed: (compute) => computed(compute),
  read: (cell) => cell.get(),
  write: (source, value) => source.set(value),
  batch: (work) => runInAction(work),
  effect: (run) => autorun(run),
});
