import { existsSync, readFileSync } from "node:fs";
import type { Result } from "../../term/output.ts";
import { failure, success } from "../../term/output.ts";
import { migrate } from "./migrations.ts";
import { databaseIn, storeOf } from "./open.ts";
import { connectMemory, connectReader, damaged, failureOf } from "./sqlite.ts";
import type { Store } from "./store.ts";

/** File format version in the header: 2 for WAL, which a database in memory does not have. */
const FORMAT_OFFSETS = [18, 19] as const;
const FORMAT_PLAIN = 1;
const HEADER_BYTES = 100;

/**
 * A copy in memory of what a state directory holds, also while a server works on it. Commits change the copy alone;
 * nothing is written and nothing is locked. A directory or file that is not there is an empty store.
 *
 * Fails with `STATE_DAMAGED`, `STATE_NEWER`, `STATE_IO` or `STATE_NOT_WRITABLE` (may not be read).
 */
export function openStoreReadOnly(options: { readonly dir: string }): Result<Store> {
  const path = databaseIn(options.dir);
  try {
    const db = connectMemory(existsSync(path) ? contentOf(path) : undefined);
    if (db.pragma("quick_check(1)", { simple: true }) !== "ok") throw damaged("the check of its pages fails");
    const migrated = migrate(db, path);
    return migrated.ok ? success(storeOf(db, 0)) : migrated;
  } catch (error) {
    return failure(failureOf(error, path));
  }
}

function contentOf(path: string): Buffer | undefined {
  const content = existsSync(`${path}-wal`) ? throughConnection(path) : readFileSync(path);
  if (content.length === 0) return undefined;
  if (content.length < HEADER_BYTES) throw damaged("it is cut off");
  for (const offset of FORMAT_OFFSETS) content.writeUInt8(FORMAT_PLAIN, offset);
  return content;
}

/** With its WAL, as of one moment. Without one a connection is avoided, since it would leave files behind. */
function throughConnection(path: string): Buffer {
  const db = connectReader(path);
  try {
    return db.serialize();
  } finally {
    db.close();
  }
}
