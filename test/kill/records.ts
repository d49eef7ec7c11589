import { join } from "node:path";
import { isOpen } from "../../src/engine/effects/machine.ts";
import { openStoreReadOnly } from "../../src/engine/store/read-only.ts";
import type { IntentRow, JobRow } from "../../src/engine/store/store.ts";

/** The most that the store gives at once; between two looks there are far fewer new rows. */
const ROWS_MAX = 1_000;

/** What the state directory of a server holds, read without touching it. */
export interface Records {
  readonly intents: readonly IntentRow[];
  readonly jobs: readonly JobRow[];
  /** Intents that somebody still has to bring to an end. */
  readonly open: readonly IntentRow[];
}

/** Newest first. @throws {Error} when the database cannot be read. */
export function readRecords(worldDir: string): Records {
  const opened = openStoreReadOnly({ dir: join(worldDir, "state") });
  if (!opened.ok) throw new Error(`the state database cannot be read: ${opened.error.message}`);
  const { queries } = opened.value;
  const intents = queries.intents({ limit: ROWS_MAX });
  const jobs = queries.jobs({ limit: ROWS_MAX });
  void opened.value.close();
  return { intents, jobs, open: intents.filter(({ state }) => isOpen(state)) };
}
