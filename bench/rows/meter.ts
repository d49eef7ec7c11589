import { performance } from "node:perf_hooks";

/** Collects all garbage; the process has to run with --expose-gc. */
export function collect(): void {
  const gc: unknown = Reflect.get(globalThis, "gc");
  if (typeof gc !== "function") throw new Error("run with --expose-gc");
  for (let times = 0; times < 3; times++) Reflect.apply(gc, undefined, []);
}

/** Of this process, all its threads, user and system. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** How long `work` takes on the clock. */
export function wallMs(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** The same for each of `count` runs. */
export function eachWallMs(count: number, work: () => void): readonly number[] {
  const times: number[] = [];
  for (let index = 0; index < count; index++) times.push(wallMs(work));
  return times;
}

/** How long this thread was at work (not waiting for anything outside) until `work` came back. */
export async function busyMs(work: () => Promise<void>): Promise<number> {
  const start = performance.eventLoopUtilization();
  await work();
  return performance.eventLoopUtilization(start).active;
}

export const US_A_MS = 1_000;
