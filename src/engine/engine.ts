import { Subject } from "rxjs";
import type { Term } from "../term/term.ts";
import { World } from "../term/world.ts";
import { Approvals } from "./approvals.ts";
import { Audit } from "./audit.ts";
import { Cache } from "./cache/cache.ts";
import type { Clock } from "./clock.ts";
import { Confirm } from "./confirm.ts";
import { Heads } from "./heads.ts";
import type { LogFiles } from "./job-log.ts";
import { Jobs } from "./jobs.ts";
import { Journal } from "./journal.ts";
import { LogRules } from "./log-rules/log-rules.ts";
import type { LogSearch } from "./log-rules/search.ts";
import { cryptoRandom } from "./random.ts";
import type { EventRow, Store } from "./store/store.ts";

const EPOCH_FLOOR = "epoch floor";

/** What happened outside: the beginning of every chain of causes. */
export type Cause = Pick<EventRow, "kind" | "subject" | "detail">;

export interface Step {
  readonly number: number;
  readonly events: readonly EventRow[];
  /** Boxes that changed, came or went. */
  readonly changed: readonly Term<unknown>[];
  readonly structure: number;
}

export interface EngineParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly logs: LogFiles;
  /** Finds the headlines of failed jobs in their logs; default: they have none. */
  readonly search?: LogSearch;
  /** 0 ≤ number < 1: for ids, and mixed into retry and expiry times. A test gives one that repeats itself. */
  readonly random?: () => number;
  /** Where an exception goes that nobody expects; default: thrown. */
  readonly onFault?: (error: unknown) => void;
}

/**
 * The loop: changes of inputs are gathered, one `propagate` makes a step of them, and the step is published.
 *
 * Changes that come one after the other without a pause (before the microtask that makes the step) are one step.
 */
export class Engine {
  readonly world = new World();
  readonly clock: Clock;
  readonly store: Store;
  readonly journal: Journal;
  readonly audit: Audit;
  readonly heads: Heads;
  readonly jobs: Jobs;
  readonly confirm: Confirm;
  readonly cache: Cache;
  readonly approvals: Approvals;
  readonly logRules: LogRules;
  readonly random: () => number;
  readonly steps = new Subject<Step>();
  /** Events of the step that is being made: what a job begun in it records. */
  events: readonly EventRow[] = [];
  #number = 0;
  #gathered: EventRow[] = [];
  #scheduled = false;
  #lastEvent: number;
  #closed = false;
  #epochFloor: number;
  readonly #onFault: (error: unknown) => void;

  constructor(parts: EngineParts) {
    this.clock = parts.clock;
    this.store = parts.store;
    this.random = parts.random ?? cryptoRandom;
    this.#onFault =
      parts.onFault ??
      ((error) => {
        throw error;
      });
    this.journal = new Journal(parts.store, this.#onFault);
    this.audit = new Audit(parts.store.queries, this.journal, parts.clock);
    this.heads = new Heads(parts.store.queries, this.journal);
    this.confirm = new Confirm(this.clock);
    this.jobs = new Jobs(this, parts.logs);
    this.cache = new Cache(this);
    this.approvals = new Approvals(this);
    const { queries } = parts.store;
    this.logRules = new LogRules({ ...parts, queries, journal: this.journal });
    const floor = parts.store.queries.setting(EPOCH_FLOOR);
    this.#epochFloor = typeof floor === "number" ? floor : 0;
    this.#lastEvent = parts.store.queries.lastEventId();
  }

  /** This start's number, larger than any that a target we adopted has seen. */
  get epoch(): number {
    return this.store.epoch + this.#epochFloor;
  }

  /** Makes our epoch larger than one that was found on a target and accepted. */
  async raiseEpoch(found: number): Promise<void> {
    if (found < this.epoch) return;
    this.#epochFloor = found + 1;
    await this.journal.save({ put: "setting", row: { name: EPOCH_FLOOR, value: this.#epochFloor } });
  }

  get step(): number {
    return this.#number;
  }

  /**
   * Makes a change of inputs, because of something new or of events that are recorded already: `set` assigns variables;
   * they take effect together in the next step.
   */
  change(cause: Cause | readonly EventRow[] | undefined, set: () => void): void {
    if (this.#closed) return;
    const outer = this.events;
    const events = cause === undefined ? [] : "kind" in cause ? [this.#record(cause)] : cause;
    if (cause !== undefined) this.events = events; // so that a job begun right here records it
    this.#gathered.push(...events);
    set();
    this.events = outer;
    this.#schedule();
  }

  /** Asks for the boxes of these terms to be published again, though no value changed. */
  touch(...keys: readonly string[]): void {
    for (const key of keys) this.world.touch(key);
    if (!this.#closed) this.#schedule();
  }

  #record(cause: Cause): EventRow {
    this.#lastEvent += 1;
    const row: EventRow = { id: this.#lastEvent, atMs: this.clock.now(), ...cause };
    this.journal.remark({ put: "event", row });
    return row;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      try {
        this.#makeStep();
      } catch (error) {
        this.#onFault(error);
      }
    });
  }

  #makeStep(): void {
    if (this.#closed) return;
    this.#number += 1;
    this.events = this.#gathered;
    this.#gathered = [];
    this.world.graph.propagate();
    const changed = this.world.takeChanged();
    this.steps.next({ number: this.#number, events: this.events, changed, structure: this.world.structure });
    this.events = [];
  }

  /** Runs asynchronous work that nobody waits for; an exception in it is a fault of the program. */
  background(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.#onFault(error));
  }

  close(): void {
    this.#closed = true;
    this.journal.close();
    this.logRules.close();
    this.steps.complete();
  }
}
