import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";

/** Where and when it was measured: without it a figure says nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** ISO 8601, at the start. */
  readonly at: string;
  /** Load average of the last minute, at the start. */
  readonly load: number;
}

const GIB = 2 ** 30;
/** Above this share of the cores something else is at work, and times are not to be trusted. */
const BUSY = 0.5;

export const thisMachine = (now: Date): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown processor",
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / GIB),
  // What follows the version (a build, a provider) is nobody's business.
  system: `${type()} ${/^\d+\.\d+/.exec(release())?.[0] ?? ""}`.trim(),
  node: process.versions.node,
  at: now.toISOString(),
  load: loadNow(),
});

export const loadNow = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;

export const machineText = (machine: Machine): string =>
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB · ${machine.system} · Node ${machine.node} · ` +
  `${machine.at.slice(0, 16).replace("T", " ")} UTC · load ${machine.load.toFixed(2)}`;

/**
 * Said when something else was at work: at the start, or while it was measured (which by itself is a load of one or
 * two).
 */
export function loadWarning({ cores, load }: Machine, loads: readonly number[]): string | undefined {
  const most = Math.max(0, ...loads);
  if (load <= BUSY * cores && most <= cores + BUSY) return undefined;
  const told = `load ${load.toFixed(2)} at the start, up to ${most.toFixed(2)} later, ${cores} cores`;
  return `WARNING: the machine was busy with something else (${told}). Trust the ratios, not the times.`;
}
