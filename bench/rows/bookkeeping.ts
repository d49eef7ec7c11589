import type { Figures, Task } from "../task.ts";
import { busyMs, cpuMs } from "./meter.ts";
import { cachedBranches, commitOf } from "./pipeline.ts";
import { inDirectory, openState } from "./state.ts";

/**
 * What a job costs that has nothing to do: its rows in the store, its log file, its steps. All processor time of this
 * process counts, the writer's thread too.
 */
export async function measureBookkeeping(task: Task): Promise<Figures> {
  return inDirectory(async (dir) => {
    const state = await openState(dir);
    const graph = cachedBranches(task.size, state);
    const { engine, heads } = graph;
    const first = graph.settled();
    engine.change({ kind: "restart", subject: "bench", detail: "started" }, () => {});
    await first; // one job a branch, to warm up
    const before = { jobs: graph.jobs(), cpu: cpuMs() };
    const again = graph.settled();
    const mainMs = await busyMs(async () => {
      engine.change({ kind: "poll", subject: "bench", detail: "all heads have moved" }, () => {
        for (const [branch, head] of heads.entries()) head.set(commitOf(branch, 1));
      });
      await again;
    });
    const jobs = graph.jobs() - before.jobs;
    if (jobs !== task.size) throw new Error(`${jobs} jobs were run, and not ${task.size}`);
    const cpu = cpuMs() - before.cpu;
    engine.close();
    await state.store.close();
    return { jobCpuMs: cpu / jobs, jobMainMs: mainMs / jobs };
  });
}
