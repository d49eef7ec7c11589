import { computed, effect, endBatch, signal, startBatch } from "alien-signals";
import { startSignals } from "./signals.ts";

type Cell = () => number;

export const startAlien = startSignals<ReturnType<typeof signal>, Cell>({
  source: signal,
  computed,
  read: (cell) => cell(),
  write: (source, value) => source(value),
  batch: (work) => {
    startBatch();
    try {
      work();
    } finally {
      endBatch();
    }
  },
  effect,
});
