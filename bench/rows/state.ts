import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, createClock } from "../../src/engine/clock.ts";
import { LogFiles } from "../../src/engine/job-log.ts";
import { openStore } from "../../src/engine/store/open.ts";
import type { Store } from "../../src/engine/store/store.ts";

/** What an engine needs to live, on a real disk, with the writer in its own thread. */
export interface State {
  readonly clock: Clock;
  readonly store: Store;
  readonly logs: LogFiles;
}

export async function openState(dir: string): Promise<State> {
  const clock = createClock();
  const onFatal = ({ message }: { readonly message: string }): never => {
    throw new Error(message);
  };
  const store = await openStore({ dir, writer: "thread", onFatal, clock });
  if (!store.ok) throw new Error(store.error.message);
  return { clock, store: store.value, logs: new LogFiles(dir, clock) };
}

/**
 * A directory of its own, below the present one: a temporary directory is often in memory, and then making a write
 * durable would cost nothing.
 */
export async function inDirectory<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const parent = join(process.cwd(), "dist", "state");
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, "bench-"));
  try {
    return await use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
