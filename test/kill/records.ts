import { join } from "node:path";
import { isOpen } from "../../src/engine/effects/machine.ts";
import { openStoreReadOnly } from "../../src/engine/store/read-only.ts";
import type { IntentRow, JobRow } from "../../src/engine/store/store.ts";

/** The most that the store gives at once. */
const ROWS_MAX = 1_000;

/** What the state directory of a server holds, read without touching it. */
export interface Records {
  /** The newest thousand of each lane, newest first. */
  readonly intents: readonly IntentRow[];
  /** Intents that somebody still has to bring to an end. */
  readonly open: readonly IntentRow[];
  readonly job: (id: string) => JobRow | undefined;
}

/** @throws {Error} when the database cannot be read. */
export function readRecords(worldDir: string): Records {
  const opened = openStoreReadOnly({ dir: join(worldDir, "state") });
  if (!opened.ok) throw new Error(`the state database cannot be read: ${opened.error.message}`);
  const { queries } = opened.value;
  const lanes = new Set(queries.intents({ limit: ROWS_MAX }).map(({ lane }) => lane));
  const intents = [...lanes].flatMap((lane) => queries.intents({ lane, limit: ROWS_MAX }));
  return { intents, open: intents.filter(({ state }) => isOpen(state)), job: (id) => queries.job(id) };
}
