import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
/** How often a copy is begun anew because a server wrote meanwhile. */
const COPIES_MAX = 5;

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
  const content = existsSync(`${path}-wal`) ? withWal(path) : readFileSync(path);
  if (content.length === 0) return undefined;
  if (content.length < HEADER_BYTES) throw damaged("it is cut off");
  for (const offset of FORMAT_OFFSETS) content.writeUInt8(FORMAT_PLAIN, offset);
  return content;
}

/**
 * With its WAL, as of one moment. From a copy, since a connection to the files themselves writes to the index of the
 * WAL, and begins to recover what a killed server left.
 */
function withWal(path: string): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "millrace-read-"));
  const copy = join(dir, "copy.db");
  try {
    for (let tries = 0; tries < COPIES_MAX; tries += 1) if (copyAtRest(path, copy)) return throughConnection(copy);
    return throughConnection(path); // a server is writing all the time: then the index changes anyway
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Whether both files stayed as they were while they were copied. */
function copyAtRest(path: string, copy: string): boolean {
  const files = ["", "-wal"] as const;
  const marks = (): string => files.map((file) => markOf(`${path}${file}`)).join();
  const before = marks();
  for (const file of files) if (existsSync(`${path}${file}`)) copyFileSync(`${path}${file}`, `${copy}${file}`);
  return marks() === before;
}

function markOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "none" : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}

function throughConnection(path: string): Buffer {
  const db = connectReader(path);
  try {
    return db.serialize();
  } finally {
    db.close();
  }
}
