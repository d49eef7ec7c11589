import { performance } from "node:perf_hooks";
import { createClock } from "../../src/engine/clock.ts";
import { memoryStore } from "../../src/engine/store/open.ts";
import { MemoryLogs } from "../../src/testing/memory-logs.ts";
import { median } from "../maths.ts";
import type { Figures, Task } from "../task.ts";
import { US_A_MS } from "./meter.ts";
import { cachedBranches } from "./pipeline.ts";
import { record } from "./recorded.ts";

const STEPS = 2_000;
const ROUNDS = 15;

/** A step in which nothing has changed, in a graph with many recorded results. */
export async function measureIdle(task: Task): Promise<Figures> {
  const clock = createClock();
  const store = memoryStore({ clock });
  await record(store, task.size);
  const graph = cachedBranches(task.size, { clock, store, logs: new MemoryLogs(clock) });
  const { engine } = graph;
  const ready = graph.settled();
  engine.change(undefined, () => {});
  await ready;
  const round = async (): Promise<number> => {
    const start = performance.now();
    for (let step = 0; step < STEPS; step++) {
      engine.change(undefined, () => {});
      await Promise.resolve(); // the step is made before this goes on
    }
    return ((performance.now() - start) / STEPS) * US_A_MS;
  };
  const before = engine.step;
  const times: number[] = [];
  for (let index = 0; index < ROUNDS; index++) times.push(await round());
  if (engine.step - before !== STEPS * ROUNDS) throw new Error("the steps were not made one by one");
  if (graph.jobs() !== 0) throw new Error(`${graph.jobs()} jobs were run`);
  return { idleUs: median(times.slice(ROUNDS / 3)) };
}
