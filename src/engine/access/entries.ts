import type { Clock } from "../clock.ts";

/** Writes one entry of the audit log. */
export type WriteEntry = (who: string, what: string, subject: string, detail: string) => void;

/** Entries of one kind about one person, a minute: anybody at all may sign in. */
const KNOWN_MAX = 30;
const KNOWN_MS = 60_000;
const KNOWN_COUNTED_MAX = 1_000;
/** Of strangers one entry an hour, for each address and kind… */
const STRANGER_MS = 60 * 60_000;
/** …of so many; all others count as one, since an address costs nothing. */
const STRANGERS_MAX = 100;
const ELSEWHERE = "elsewhere";

interface Counted {
  readonly sinceMs: number;
  count: number;
}

interface Stranger extends Counted {
  readonly who: string;
  readonly kind: string;
  readonly subject: string;
}

/** Entries for what anybody can cause as often as they like: nobody fills the disk by asking. */
export class Entries {
  readonly #clock: Clock;
  readonly #write: WriteEntry;
  readonly #known = new Map<string, Counted>();
  readonly #strangers = new Map<string, Stranger>();

  constructor(clock: Clock, write: WriteEntry) {
    this.#clock = clock;
    this.#write = write;
  }

  /** About somebody who is known: thirty of a kind in a minute. */
  ofKnown(who: string, what: string, subject: string, detail = ""): void {
    this.#settle();
    const key = `${what} ${who}`;
    const now = this.#clock.elapsed();
    const isOver = ({ sinceMs }: Counted): boolean => now - sinceMs >= KNOWN_MS;
    if (this.#known.size >= KNOWN_COUNTED_MAX)
      for (const [other, counted] of this.#known) if (isOver(counted)) this.#known.delete(other);
    const seen = this.#known.get(key);
    const entry = seen === undefined || isOver(seen) ? { count: 0, sinceMs: now } : seen;
    this.#known.set(key, entry);
    entry.count += 1;
    if (entry.count <= KNOWN_MAX) this.#write(who, what, subject, detail);
  }

  /**
   * A stranger was refused: the first of a kind at once, and after an hour, with the next entry of anybody, how many
   * more there were.
   */
  ofStranger(address: string, kind: string, subject: string, why: string): void {
    this.#settle();
    const isRoom = this.#strangers.size < STRANGERS_MAX || this.#strangers.has(`${kind} ${address}`);
    const from = isRoom ? address : ELSEWHERE;
    const seen = this.#strangers.get(`${kind} ${from}`);
    if (seen !== undefined) {
      seen.count += 1;
      return;
    }
    const who = `anonymous@${from}`;
    this.#strangers.set(`${kind} ${from}`, { who, kind, subject, sinceMs: this.#clock.elapsed(), count: 1 });
    this.#write(who, "refused", subject, why);
  }

  #settle(): void {
    const now = this.#clock.elapsed();
    for (const [key, { who, kind, subject, sinceMs, count }] of this.#strangers) {
      if (now - sinceMs < STRANGER_MS) return; // oldest first
      this.#strangers.delete(key);
      if (count > 1) this.#write(who, "refused", subject, `${kind}: ${count - 1} more within the hour`);
    }
  }
}
