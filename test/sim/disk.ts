import type { Database } from "better-sqlite3";
import type { Clock } from "../../src/engine/clock.ts";
import { problem } from "../../src/engine/errors.ts";
import { Committer, type GroupAnswer } from "../../src/engine/store/committer.ts";
import { migrate } from "../../src/engine/store/migrations.ts";
import type { Reserve } from "../../src/engine/store/reserve.ts";
import { connectMemory } from "../../src/engine/store/sqlite.ts";
import { SqliteStore } from "../../src/engine/store/sqlite-store.ts";
import type { Store } from "../../src/engine/store/store.ts";
import { inlineWriter, type Writer } from "../../src/engine/store/writer.ts";
import type { Failure } from "../../src/term/output.ts";
import type { Outside } from "./outside.ts";

const PAGES_MAX = 1_000_000;
/** What giving up the reserve frees, in pages. */
const RESERVE_PAGES = 64;
/** The planted bug: how much later than its answer a commit is written. */
const EARLY_MS = 400;

export interface Opening {
  readonly clock: Clock;
  readonly onFatal: (error: Failure) => void;
}

/**
 * The disk of a state directory. The database is SQLite's own, in memory, behind the product's committer: what is not
 * committed when the process dies is gone, and a full disk is SQLite's own refusal to grow.
 */
export class Disk {
  full = false;
  /** The next write fails as a broken disk does. */
  broken = false;
  readonly #outside: Outside;
  /** The planted bug: a commit is confirmed before it is written. */
  readonly #early: boolean;
  #db: Database | undefined;
  #content: Buffer | undefined;
  #epoch = 0;
  #reserve = true;

  constructor(outside: Outside, early: boolean) {
    this.#outside = outside;
    this.#early = early;
  }

  open({ clock, onFatal }: Opening): Store {
    const db = connectMemory(this.#content);
    const migrated = migrate(db, "millrace.db");
    if (!migrated.ok) throw new Error(migrated.error.message);
    this.#db = db;
    this.#epoch += 1;
    if (this.full) this.fill(0);
    return new SqliteStore({
      writer: this.#slow(inlineWriter(new Committer(db, 0, this.#reserveOf())), clock),
      reader: db,
      epoch: this.#epoch,
      clock,
      window: queueMicrotask,
      onFatal,
      onClose: () => {},
    });
  }

  /** There is room for so many more pages. */
  fill(pages: number): void {
    this.full = true;
    const used = this.#db?.pragma("page_count", { simple: true });
    if (typeof used === "number") this.#limit(used + pages);
  }

  free(): void {
    this.full = false;
    this.#limit(PAGES_MAX);
  }

  #limit(pages: number): void {
    if (this.#db?.open === true) this.#db.pragma(`max_page_count = ${pages}`);
  }

  /** The process is dead: what its successor will find. */
  cut(): void {
    if (this.#db === undefined) return;
    this.#content = this.#db.serialize();
    this.#db = undefined; // a late write of the dead one goes nowhere
  }

  get bytes(): Buffer {
    return this.#db?.serialize() ?? this.#content ?? Buffer.alloc(0);
  }

  #reserveOf(): Reserve {
    return {
      take: () => {
        if (this.full) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        this.#reserve = true;
      },
      release: () => {
        if (!this.#reserve || !this.full) return false;
        this.#reserve = false;
        this.fill(RESERVE_PAGES);
        return true;
      },
    };
  }

  /** Commits take their time, before or after the moment that counts. */
  #slow(writer: Writer, clock: Clock): Writer {
    const { dice } = this.#outside;
    const write: Writer["write"] = async (group) => {
      if (this.broken) return { kind: "fatal", error: problem("STATE_IO", "disk I/O error") };
      if (this.#early) {
        clock.after(EARLY_MS, () => void writer.write(group));
        return { kind: "settled", outcomes: group.map(() => ({ kind: "done" })) } satisfies GroupAnswer;
      }
      if (dice.chance(0.3)) await clock.sleep(dice.between(1, 30));
      const answer = await writer.write(group);
      if (dice.chance(0.3)) await clock.sleep(dice.between(1, 30));
      return answer;
    };
    return { ...writer, write };
  }
}
