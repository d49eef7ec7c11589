import type { Database } from "better-sqlite3";
import { Subscription } from "rxjs";
import type { Failure } from "../../term/output.ts";
import type { Clock } from "../clock.ts";
import type { Batch } from "./batch.ts";
import type { GroupAnswer, Outcome } from "./committer.ts";
import { createQueries } from "./queries.ts";
import { failureOf, faultOf } from "./sqlite.ts";
import { isClosing, type Queries, type Store, StoreFull, StoreRefused, type Write } from "./store.ts";
import { encodeWrites } from "./tables.ts";
import type { Writer } from "./writer.ts";

const GROUP_BATCHES_MAX = 1_000;
const PROBE_MS = 1_000;

export interface StoreParts {
  readonly writer: Writer;
  /** Resolves once the writer can write, or with why it never will. */
  readonly opening?: Promise<Failure | undefined>;
  /** For reads on the main thread. */
  readonly reader: Database;
  readonly epoch: number;
  readonly clock: Clock;
  /** How long the first commit waits for company: calls `then` later, never at once. */
  readonly window: (then: () => void) => void;
  /** The same for a commit that nobody waits for; default: as `window`. Unsubscribe to call it off. */
  readonly longWindow?: (then: () => void) => Subscription;
  readonly onFatal: (error: Failure) => void;
  /** Called last by `close`. */
  readonly onClose: () => void;
}

interface Pending {
  readonly batch: Batch;
  settle(outcome: Outcome): void;
}

/**
 * Gathers commits into groups and hands one group at a time to the writer.
 *
 *     idle ── commit ──▶ gathering ── window ──▶ writing ── answer, none pending ──▶ idle
 *                                                  ▲──────── answer, some pending ──┘
 *     idle ── unhurried commit ──▶ waiting ── long window, or any other commit ──▶ gathering
 *     any ── fatal answer ──▶ dead: nothing resolves any more
 */
export class SqliteStore implements Store {
  readonly queries: Queries;
  readonly epoch: number;
  readonly counts = { batches: 0, transactions: 0 };
  readonly #parts: StoreParts;
  readonly #listeners: ((full: boolean) => void)[] = [];
  #pending: Pending[] = [];
  #busy = false;
  /** Counts while nothing but what is unhurried is pending. */
  #waiting: Subscription | undefined;
  #probing = new Subscription();
  #full = false;
  #life: "open" | "dead" | "closed" = "open";

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.epoch = parts.epoch;
    void parts.opening?.then((error) => error !== undefined && this.#die(error));
    this.queries = createQueries(parts.reader, (error) => {
      if (faultOf(error) === "fatal") this.#die(failureOf(error, parts.reader.name));
    });
  }

  get full(): boolean {
    return this.#full;
  }

  onFull(listener: (full: boolean) => void): void {
    this.#listeners.push(listener);
  }

  commit(batch: readonly Write[], unhurried = false): Promise<void> {
    const closing = batch.some(isClosing);
    if (this.#full && !closing) return Promise.reject(new StoreFull(FULL));
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        if (outcome.kind === "done") resolve();
        else reject(outcome.kind === "refused" ? new StoreRefused(outcome.message) : new StoreFull(FULL));
      };
      this.counts.batches += 1;
      this.#enqueue({ batch: { cells: encodeWrites(batch), closing }, settle }, unhurried);
    });
  }

  flush(): Promise<void> {
    if (!this.#busy && this.#pending.length === 0 && this.#life !== "dead") return Promise.resolve();
    return new Promise((resolve) => {
      this.#enqueue({ batch: { cells: [], closing: true }, settle: () => resolve() });
    });
  }

  async close(): Promise<void> {
    if (this.#life === "open") await this.flush();
    if (this.#life === "closed") return;
    this.#life = "closed";
    this.#probing.unsubscribe();
    // the last to close empties the WAL into the database, which a reader could not
    this.#parts.reader.close();
    await this.#parts.writer.close();
    this.#parts.onClose();
  }

  #enqueue(pending: Pending, unhurried = false): void {
    if (this.#life === "closed") throw new Error("the store is closed");
    if (this.#life === "dead") return; // never settles: the process is about to end
    this.#pending.push(pending);
    if (this.#busy) return;
    const { longWindow } = this.#parts;
    if (unhurried && longWindow !== undefined) this.#waiting ??= longWindow(() => this.#gather());
    else this.#gather();
  }

  #gather(): void {
    this.#waiting?.unsubscribe();
    this.#waiting = undefined;
    this.#busy = true;
    this.#parts.window(() => void this.#writeAll());
  }

  /** Commits that came while a group was written have waited long enough: they go at once. */
  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0 && this.#life === "open") {
      const group = this.#pending.splice(0, GROUP_BATCHES_MAX);
      this.#settle(group, await this.#write(group.map((pending) => pending.batch)));
    }
    this.#busy = false;
  }

  async #write(group: readonly Batch[]): Promise<GroupAnswer> {
    if (group.every((batch) => batch.cells.length === 0))
      return { kind: "settled", outcomes: group.map(() => ({ kind: "done" })) };
    this.counts.transactions += 1;
    return await this.#parts.writer.write(group);
  }

  #settle(group: readonly Pending[], answer: GroupAnswer): void {
    if (answer.kind === "fatal") return this.#die(answer.error);
    if (answer.outcomes.some((outcome) => outcome.kind === "full")) this.#setFull(true);
    for (const [index, pending] of group.entries()) pending.settle(answer.outcomes[index] ?? { kind: "full" });
  }

  #setFull(full: boolean): void {
    if (this.#full === full) return;
    this.#full = full;
    if (full) this.#probeLater();
    for (const listener of this.#listeners) listener(full);
  }

  #probeLater(): void {
    this.#probing = this.#parts.clock.after(PROBE_MS, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    if (this.#life !== "open") return;
    const answer = await this.#parts.writer.probe(this.#parts.clock.now());
    if (answer.kind === "fatal") this.#die(answer.error);
    else if (answer.kind === "room") this.#setFull(false);
    else this.#probeLater();
  }

  #die(error: Failure): void {
    if (this.#life !== "open") return;
    this.#life = "dead";
    this.#pending = [];
    this.#parts.onFatal(error);
  }
}

const FULL = "the disk of the state directory is full";
