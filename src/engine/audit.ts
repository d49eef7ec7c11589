import type { Result } from "../term/output.ts";
import type { Clock } from "./clock.ts";
import type { Journal } from "./journal.ts";
import type { AuditRow, Queries, Write } from "./store/store.ts";

/** What somebody may say of why they act. */
export const WHY_CHARS_MAX = 500;

/** What an entry says of an action: what came of it, more about it, and why somebody did it (blank: they did not say). */
export function detailOf(result: Result<unknown>, why: string, about = ""): string {
  const outcome = result.ok ? about : `refused: ${result.error.message}`; // first: what people wrote cannot pretend it
  return [outcome, why === "" ? "" : `why: ${why}`].filter((part) => part !== "").join("; ");
}

/** The log of who did what, and what was refused. It only grows. */
export class Audit {
  readonly #journal: Journal;
  readonly #clock: Clock;
  #last: number;

  constructor(queries: Pick<Queries, "lastAuditId">, journal: Journal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
    this.#last = queries.lastAuditId();
  }

  /**
   * Resolves once it is durable; while the disk is full that is later, so an answer to a person waits for it only where
   * the action needed the store as well.
   *
   * @param what  One word: rebuild, cancel, start, confirm, adopt, sign-in, refused …
   */
  record(who: string, what: string, subject: string, detail = ""): Promise<void> {
    return this.#journal.save(this.#next(who, what, subject, detail));
  }

  /** The same for what nobody waits for. */
  note(who: string, what: string, subject: string, detail = ""): void {
    this.#journal.note(this.#next(who, what, subject, detail));
  }

  #next(who: string, what: string, subject: string, detail: string): Write {
    this.#last += 1;
    const row: AuditRow = { id: this.#last, atMs: this.#clock.now(), who, what, subject, detail };
    return { put: "audit", row };
  }
}
