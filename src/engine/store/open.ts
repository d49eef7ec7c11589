import { closeSync, constants, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Database } from "better-sqlite3";
import type { Failure, Result } from "../../term/output.ts";
import { failure, success } from "../../term/output.ts";
import { type Clock, createClock } from "../clock.ts";
import { problem } from "../errors.ts";
import { Committer } from "./committer.ts";
import { lockState, type StateLock } from "./lock.ts";
import { migrate } from "./migrations.ts";
import { noReserve, type Reserve, reserveIn } from "./reserve.ts";
import { connectMemory, connectReader, connectWriter, createPrivate, damaged, failureOf, faultOf } from "./sqlite.ts";
import { SqliteStore, type StoreParts } from "./sqlite-store.ts";
import type { Store } from "./store.ts";
import { beginThread, inlineWriter, type Thread } from "./writer.ts";

/** How long the first commit of a group waits for others. */
const GROUP_WINDOW_MS = 3;
/** And how long one that nobody waits for. */
const LONG_WINDOW_MS = 100;

export interface StoreOptions {
  /** The state directory; made, readable by us alone, when it is not there. */
  readonly dir: string;
  /** thread: a thread of its own, for real time · inline: this thread, in a microtask, for virtual time. */
  readonly writer: "thread" | "inline";
  /** Told once of what the process must end for (exit 70); nothing is committed any more. */
  readonly onFatal: (error: Failure) => void;
  readonly clock: Clock;
}

/** The database file of a state directory. */
export const databaseIn = (dir: string): string => join(dir, "millrace.db");

/**
 * Opens the store of a state directory and keeps every other process out of it until `close`.
 *
 * Fails with `STATE_IN_USE`, `STATE_NOT_WRITABLE`, `STATE_DAMAGED`, `STATE_NEWER`, `STATE_IO` or `STORE_FULL`.
 */
export async function openStore(options: StoreOptions): Promise<Result<Store>> {
  const { dir, clock } = options;
  const made = makeDirectory(dir);
  if (!made.ok) return made;
  const lock = attempt(dir, () => lockState(dir, clock.now()));
  if (!lock.ok) return lock;
  const opened = openFiles(options, lock.value);
  if (opened.ok)
    return success(new SqliteStore({ ...opened.value, ...windowsOf(options), clock, onFatal: options.onFatal }));
  lock.value.release();
  return opened;
}

type Files = Pick<StoreParts, "writer" | "reader" | "epoch" | "opening" | "onClose">;

/** The thread comes up while the database is checked, and opens its connection while the first reads are done. */
function openFiles({ dir, writer }: StoreOptions, lock: StateLock): Result<Files> {
  const path = databaseIn(dir);
  const thread = writer === "thread" ? beginThread(path) : undefined;
  const files = attempt(path, () => prepare(path, lock, (db, epoch) => filesOf(dir, db, epoch, lock, thread)));
  if (!files.ok) void thread?.end();
  return files;
}

function filesOf(dir: string, db: Database, epoch: number, lock: StateLock, thread: Thread | undefined): Files {
  const path = databaseIn(dir);
  const reserve = takeReserve(dir);
  const more = { reader: connectReader(path), epoch, onClose: () => lock.release() };
  if (thread === undefined) return { ...more, writer: inlineWriter(new Committer(db, epoch, reserve)) };
  const writer = thread.open({ dir, path, epoch });
  // Closed only when the thread has it open: the last connection that closes takes the WAL with it.
  return { ...more, writer, opening: writer.opened.finally(() => db.close()) };
}

/** In virtual time nothing waits: what is written is there when the step is over. */
function windowsOf({ writer, clock }: StoreOptions): Pick<StoreParts, "window" | "longWindow"> {
  if (writer === "inline") return { window: queueMicrotask };
  return {
    window: (then) => void clock.after(GROUP_WINDOW_MS, then),
    longWindow: (then) => clock.after(LONG_WINDOW_MS, then),
  };
}

/** A store in memory, for tests: nothing outlives it. */
export function memoryStore(
  options: { readonly clock?: Clock; readonly onFatal?: (error: Failure) => void } = {},
): Store {
  return storeOf(connectMemory(), 1, options);
}

/** A store over a database in memory. */
export function storeOf(
  db: Database,
  epoch: number,
  options: { readonly clock?: Clock; readonly onFatal?: (error: Failure) => void } = {},
): Store {
  const migrated = migrate(db, db.name);
  if (!migrated.ok) throw new Error(migrated.error.message);
  return new SqliteStore({
    writer: inlineWriter(new Committer(db, 0, noReserve)),
    reader: db,
    epoch,
    clock: options.clock ?? createClock(),
    window: queueMicrotask,
    onFatal: options.onFatal ?? (() => {}),
    onClose: () => {},
  });
}

function makeDirectory(dir: string): Result<void> {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (!statSync(dir).isDirectory()) return failure(problem("STATE_NOT_WRITABLE", `${dir} is not a directory`));
    return success(undefined);
  } catch (error) {
    return failure(failureOf(error, dir));
  }
}

/** Checks the database, brings its schema up to date, begins an epoch of our own, and goes on with `then`. */
function prepare<T>(path: string, lock: StateLock, then: (db: Database, epoch: number) => T): Result<T> {
  createPrivate(path);
  const db = connectWriter(path);
  try {
    const sound = db.pragma("quick_check(1)", { simple: true });
    if (sound !== "ok") throw damaged(String(sound));
    const migrated = migrate(db, path);
    if (!migrated.ok) {
      db.close();
      return migrated;
    }
    const epoch = beginEpoch(db, lock);
    syncDirectory(dirname(path));
    return success(then(db, epoch));
  } catch (error) {
    db.close();
    throw error;
  }
}

function beginEpoch(db: Database, lock: StateLock): number {
  const raise = db.prepare("UPDATE epoch SET n = n + 1, owner = ? RETURNING n").pluck();
  const epoch = db.transaction((): unknown => raise.get(lock.owner)).immediate();
  if (typeof epoch !== "number") throw damaged("no epoch row");
  return epoch;
}

function syncDirectory(dir: string): void {
  const handle = openSync(dir, constants.O_RDONLY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** No room for a reserve is no reason not to start: the disk may hold enough for the work. */
function takeReserve(dir: string): Reserve {
  const reserve = reserveIn(dir);
  try {
    reserve.take();
  } catch (error) {
    if (faultOf(error) !== "full") throw error;
  }
  return reserve;
}

function attempt<T>(path: string, work: () => Result<T>): Result<T> {
  try {
    return work();
  } catch (error) {
    return failure(failureOf(error, path));
  }
}
