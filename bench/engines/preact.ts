import { batch, computed, effect, signal } from "@preact/signals-core";
import { startSignals } from "./signals.ts";

interface Cell {
  readonly value: number;
}

export const startPreact = startSignals<{ value: number }, Cell>({
  source: signal,
  computed,
  read: (cell) => cell.value,
  write: (source, value) => {
    source.value = value;
  },
  batch,
  effect,
});
