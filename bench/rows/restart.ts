import { execFileSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { median } from "../maths.ts";
import type { Figures, Task } from "../task.ts";
import { busyMs, cpuMs } from "./meter.ts";
import { type Cached, cachedBranches, commitOf } from "./pipeline.ts";
import { inDirectory, openState } from "./state.ts";

const WARM = 30;

/**
 * A start on recorded results, then jobs one at a time in the same graph. Time runs from the end of the imports: the
 * store is opened, the engine and the graph are made, and the first step finds every result.
 */
export async function measureRestart(task: Task): Promise<Figures> {
  return inDirectory(async (dir) => {
    const filler = fileURLToPath(new URL("./fill.js", import.meta.url));
    execFileSync(process.execPath, [filler, dir, String(task.size)], { stdio: ["ignore", "ignore", "inherit"] });
    const cpu = cpuMs();
    const start = performance.now();
    const state = await openState(dir);
    const openMs = performance.now() - start;
    const graph = cachedBranches(task.size, state);
    const settled = graph.settled();
    graph.engine.change({ kind: "restart", subject: "bench", detail: "started" }, () => {});
    await settled;
    const restartMs = performance.now() - start;
    const restartCpuMs = cpuMs() - cpu;
    const rerun = graph.jobs();
    const jobs = await measureJobs(graph, task);
    graph.engine.close();
    await state.store.close();
    return { restartMs, openMs, restartCpuMs, rerun, ...jobs };
  });
}

/** One job among many: how long this thread is at work for it, from the new head to the joined result. */
async function measureJobs(graph: Cached, task: Task): Promise<Figures> {
  const count = task.quick ? 30 : 100;
  let version = 0;
  const change = (branch: number): Promise<number> => {
    version += 1;
    return busyMs(() => graph.change(branch, commitOf(branch, version)));
  };
  const measure = async (branch: (index: number) => number): Promise<number> => {
    const times: number[] = [];
    for (let index = 0; index < count; index++) times.push(await change(branch(index)));
    return median(times);
  };
  for (let index = 0; index < WARM; index++) await change((index * 7) % task.size);
  const before = graph.jobs();
  const figures = {
    anyJobMs: await measure((index) => (index * 7_919) % task.size),
    firstJobMs: await measure(() => 0),
    lastJobMs: await measure(() => task.size - 1),
  };
  const jobsAChange = (graph.jobs() - before) / (3 * count);
  return { ...figures, jobsAChange };
}
