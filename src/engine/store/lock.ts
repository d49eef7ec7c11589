import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { Result } from "../../term/output.ts";
import { failure, success } from "../../term/output.ts";
import { problem } from "../errors.ts";
import { createPrivate, faultOf } from "./sqlite.ts";

/** A predecessor that was killed a moment ago may still be on its way out. */
const WAIT_MS = 500;

export interface StateLock {
  /** Who holds it, for people. */
  readonly owner: string;
  release(): void;
}

/**
 * Locks a state directory for this process: an exclusive transaction held open on `lock.db`.
 *
 * The kernel frees it when its owner dies, however it dies. Its owner's name is in `lock.json`, since nobody else can
 * read a locked database. Fails with `STATE_IN_USE`; throws what the driver throws for a broken disk.
 */
export function lockState(dir: string, nowMs: number): Result<StateLock> {
  const path = join(dir, "lock.db");
  createPrivate(path);
  const db = new Sqlite(path, { timeout: WAIT_MS });
  const note = join(dir, "lock.json");
  try {
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (faultOf(error) !== "busy") throw error;
    return failure(problem("STATE_IN_USE", `state directory ${dir} is in use by ${ownerIn(note)}`));
  }
  const owner = `process ${process.pid} on ${hostname()}, started ${new Date(nowMs).toISOString()}`;
  try {
    writeFileSync(note, `${JSON.stringify({ owner })}\n`, { mode: 0o600 });
  } catch (error) {
    db.close();
    throw error;
  }
  return success({
    owner,
    release: () => {
      rmSync(note, { force: true });
      db.close();
    },
  });
}

function ownerIn(note: string): string {
  try {
    const known: unknown = JSON.parse(readFileSync(note, "utf8"));
    if (typeof known === "object" && known !== null && "owner" in known && typeof known.owner === "string")
      return known.owner;
  } catch {
    // not written yet, or gone again: the lock itself is what counts
  }
  return "another process";
}
