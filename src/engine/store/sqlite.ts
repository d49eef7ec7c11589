import { closeSync, constants, openSync } from "node:fs";
import Sqlite, { type Database } from "better-sqlite3";
import type { Failure } from "../../term/output.ts";
import { problem } from "../errors.ts";

const BUSY_TIMEOUT_MS = 5_000;

interface Pragma {
  readonly name: string;
  readonly set: string;
  readonly got: string | number;
}

/** Per connection; `synchronous` above all: the driver falls back to NORMAL when a WAL database is opened again. */
const everywhere: readonly Pragma[] = [
  { name: "synchronous", set: "FULL", got: 2 },
  { name: "foreign_keys", set: "ON", got: 1 },
  { name: "busy_timeout", set: `${BUSY_TIMEOUT_MS}`, got: BUSY_TIMEOUT_MS },
  { name: "trusted_schema", set: "OFF", got: 0 },
  { name: "cell_size_check", set: "ON", got: 1 },
];

/** Only where there is a file to write. */
const onDisk: readonly Pragma[] = [
  { name: "journal_mode", set: "WAL", got: "wal" },
  { name: "wal_autocheckpoint", set: "1000", got: 1_000 },
  { name: "journal_size_limit", set: "67108864", got: 67_108_864 },
];

/** Makes a file for us alone, if need be; SQLite gives the files beside a database the database's own permissions. */
export function createPrivate(path: string): void {
  closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW, 0o600));
}

/** Opens a connection that may write, every pragma set and read back. Throws what SQLite throws. */
export function connectWriter(path: string): Database {
  return withPragmas(new Sqlite(path, { timeout: BUSY_TIMEOUT_MS }), [...onDisk, ...everywhere]);
}

/** Opens a connection that only reads. */
export function connectReader(path: string): Database {
  const db = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  return withPragmas(db, everywhere);
}

/** An empty database in memory, or one with the content of a database file. */
export function connectMemory(content?: Buffer): Database {
  return withPragmas(new Sqlite(content ?? ":memory:"), everywhere);
}

function withPragmas(db: Database, pragmas: readonly Pragma[]): Database {
  try {
    for (const { name, set, got } of pragmas) {
      db.pragma(`${name} = ${set}`);
      const now = db.pragma(name, { simple: true });
      if (now !== got) throw new Error(`SQLite pragma ${name} reads back as ${String(now)}, expected ${got}`);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** full: no room on the disk · fatal: the process must end · busy: another one writes · refused: only this batch. */
export type Fault = "full" | "fatal" | "busy" | "refused";

/** What an error thrown by the driver (or by the file system) means for the one who wrote. */
export function faultOf(error: unknown): Fault {
  const code = codeOf(error);
  // the index of the WAL cannot grow: the driver's way of saying that a file system has no room
  if (code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE" || code === "ENOSPC" || code === "EDQUOT")
    return "full";
  if (code.startsWith("SQLITE_BUSY")) return "busy";
  if (/^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN|PROTOCOL|NOMEM|NOLFS)/.test(code)) return "fatal";
  return code.startsWith("E") ? "fatal" : "refused";
}

/** The same error as a failure to show. `path` is the database. */
export function failureOf(error: unknown, path: string): Failure {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (isUnloadable(error))
    return problem("DRIVER_MISSING", `the database driver cannot be loaded: ${reasonIn(message)}`);
  const what = `${path}: ${message}${code === "" ? "" : ` (${code})`}`;
  if (faultOf(error) === "full") return problem("STORE_FULL", what, { class: "failed", hint: FULL_HINT });
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return problem("STATE_DAMAGED", `the database is damaged: ${what}`);
  if (code === "SQLITE_READONLY_DBMOVED") return problem("STATE_REPLACED", what);
  if (/^(SQLITE_(READONLY|CANTOPEN|BUSY|LOCKED)|EACCES|EPERM|EROFS|ENOTDIR|EEXIST|EISDIR|ELOOP|ENOENT)/.test(code))
    return problem("STATE_NOT_WRITABLE", what);
  return problem("STATE_IO", what);
}

const FULL_HINT = "Free space on the disk of the state directory, then start Millrace again.";

/** The compiled half of the driver is not there (its loader then lists its `tries`), or is another Node's. */
const isUnloadable = (error: unknown): boolean =>
  codeOf(error) === "ERR_DLOPEN_FAILED" || (error instanceof Error && "tries" in error);

/** What counts of the driver's many lines: for which Node it was compiled, or just the first line. */
const reasonIn = (message: string): string =>
  /compiled against a different Node\.js version/.test(message)
    ? `it was compiled for another Node than this one, ${process.version}`
    : (message.split(/\n|\. Tried/)[0] ?? message);

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** As the driver reports a damage, for what it does not check by itself. SQLite's own words are put on one line. */
export const damaged = (what: string): Error =>
  new Sqlite.SqliteError(
    what
      .replace("*** in database main ***", "")
      .replaceAll(/\s*\n\s*/g, " ")
      .trim(),
    "SQLITE_CORRUPT",
  );
