import { statSync } from "node:fs";
import type { Database, Statement } from "better-sqlite3";
import type { Failure } from "../../term/output.ts";
import { problem } from "../errors.ts";
import { type Batch, newestOf, writesOf } from "./batch.ts";
import type { Reserve } from "./reserve.ts";
import { codeOf, failureOf, faultOf } from "./sqlite.ts";

const BUSY_TRIES_MAX = 6;

/** done: durable · full, refused: nothing of the batch was written. */
export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "full" }
  | { readonly kind: "refused"; readonly message: string };

export type GroupAnswer =
  | { readonly kind: "settled"; readonly outcomes: readonly Outcome[] }
  | { readonly kind: "fatal"; readonly error: Failure };

export type ProbeAnswer = { readonly kind: "room" | "none" } | { readonly kind: "fatal"; readonly error: Failure };

/** Writes groups of batches, each group in one transaction. Used on the writer's thread, or in place. */
export class Committer {
  readonly #db: Database;
  readonly #epoch: number;
  readonly #reserve: Reserve;
  readonly #statements = new Map<string, Statement>();
  readonly #files: readonly OpenFile[];

  /** @param epoch  This start's number, checked before every commit; 0 for a database that only we can see. */
  constructor(db: Database, epoch: number, reserve: Reserve) {
    this.#db = db;
    this.#epoch = epoch;
    this.#reserve = reserve;
    this.#files = db.memory ? [] : [openFile(db.name), openFile(`${db.name}-wal`)];
  }

  /** Never throws: what ends the process comes back as `fatal`. */
  run(group: readonly Batch[]): GroupAnswer {
    try {
      return { kind: "settled", outcomes: this.#runOrFull(group) };
    } catch (error) {
      return { kind: "fatal", error: error instanceof Lost ? error.failure : failureOf(error, this.#db.name) };
    }
  }

  /** Whether there is room again: takes the reserve back and makes a small durable write. */
  probe(nowMs: number): ProbeAnswer {
    try {
      this.#reserve.take();
      const sql = "UPDATE epoch SET probed_ms = ?";
      this.#transaction(() => this.#prepared(sql).run(nowMs));
      return { kind: "room" };
    } catch (error) {
      if (faultOf(error) === "full") return { kind: "none" };
      return { kind: "fatal", error: error instanceof Lost ? error.failure : failureOf(error, this.#db.name) };
    }
  }

  close(): void {
    this.#db.close();
  }

  #runOrFull(group: readonly Batch[]): readonly Outcome[] {
    const first = this.#tryGroup(group);
    if (first !== undefined) return first;
    const closing = group.filter((batch) => batch.closing);
    const second = closing.length > 0 && this.#reserve.release() ? this.#tryGroup(closing) : undefined;
    return group.map((batch) => second?.[closing.indexOf(batch)] ?? { kind: "full" });
  }

  /** `undefined` when the disk is full; then nothing was written. */
  #tryGroup(group: readonly Batch[]): readonly Outcome[] | undefined {
    try {
      return this.#runWhole(group) ?? this.#transaction(() => group.map((batch) => this.#runBatch(batch)));
    } catch (error) {
      if (faultOf(error) === "full") return undefined;
      throw error;
    }
  }

  /** The usual way: all is written, or nothing and `undefined` because a constraint forbids some of it. */
  #runWhole(group: readonly Batch[]): readonly Outcome[] | undefined {
    try {
      this.#transaction(() => {
        for (const { writer, cells } of newestOf(group)) this.#prepared(writer.upsert).run(cells);
      });
      return group.map(() => ({ kind: "done" }));
    } catch (error) {
      if (error instanceof Lost || faultOf(error) !== "refused") throw error;
      return undefined;
    }
  }

  #transaction<T>(work: () => T): T {
    this.#begin();
    try {
      this.#checkOurs();
      const value = work();
      this.#db.exec("COMMIT");
      return value;
    } finally {
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
    }
  }

  /** Another process (a shell, a backup) may hold the write lock for a while; for ever is an error of the machine. */
  #begin(): void {
    for (let tries = 1; ; tries += 1) {
      try {
        this.#db.exec("BEGIN IMMEDIATE");
        return;
      } catch (error) {
        if (faultOf(error) !== "busy" || tries === BUSY_TRIES_MAX) throw error;
      }
    }
  }

  /** A savepoint each, so that one bad batch does not take its neighbours with it. */
  #runBatch(batch: Batch): Outcome {
    this.#db.exec("SAVEPOINT batch");
    try {
      for (const { writer, cells } of writesOf(batch)) this.#prepared(writer.upsert).run(cells);
      this.#db.exec("RELEASE batch");
      return { kind: "done" };
    } catch (error) {
      if (faultOf(error) !== "refused" || !this.#db.inTransaction) throw error;
      this.#db.exec("ROLLBACK TO batch");
      this.#db.exec("RELEASE batch");
      const message = error instanceof Error ? error.message : String(error);
      return { kind: "refused", message: `${message} (${codeOf(error)})` };
    }
  }

  #prepared(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** In the transaction, so that nobody can take over between the check and the write. */
  #checkOurs(): void {
    for (const file of this.#files) if (!isSame(file)) throw new Lost(problem("STATE_REPLACED", replaced(file.path)));
    if (this.#epoch === 0) return;
    if (this.#prepared("SELECT 1 FROM epoch WHERE n = ?").get(this.#epoch) !== undefined) return;
    const message = `${this.#db.name}: epoch ${this.#epoch} of this process was taken over by a later one`;
    throw new Lost(problem("EPOCH_LOST", message));
  }
}

/** The database is not ours any more. */
class Lost extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

interface OpenFile {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

function openFile(path: string): OpenFile {
  const { dev, ino } = statSync(path);
  return { path, device: dev, inode: ino };
}

/** SQLite notices a moved file only with a rollback journal, not in WAL mode. */
function isSame(file: OpenFile): boolean {
  const now = statSync(file.path, { throwIfNoEntry: false });
  return now !== undefined && now.ino === file.inode && now.dev === file.device;
}

const replaced = (path: string): string => `${path} was deleted or replaced while it was in use`;
