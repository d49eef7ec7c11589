import type { Clock } from "../clock.ts";

/** Writes one entry of the audit log. */
export type WriteEntry = (who: string, what: string, subject: string, detail: string) => void;

const WINDOW_MS = 60 * 60_000;
/** Entries of one kind about one person in an hour: anybody at all may sign in. */
const KNOWN_MAX = 60;
/** So many people are counted each for themselves, all others as one: accounts cost little too. */
const COUNTED_MAX = 1_000;
const OTHERS = "others";
/** Of those who may do nothing one: for each person, or for each address where nobody is known… */
export const STRANGER_MAX = 1;
/** …of so many addresses; all others count as one, since an address costs nothing. */
const STRANGERS_MAX = 100;
const ELSEWHERE = "elsewhere";

/** What was written down, and how often it would have been. */
interface Counted {
  readonly who: string;
  readonly what: string;
  readonly subject: string;
  /** Of what there were more; blank: of the same. */
  readonly kind: string;
  readonly max: number;
  readonly sinceMs: number;
  count: number;
}

/**
 * Entries for what anybody can cause as often as they like: nobody fills the disk by asking. How many were left out is
 * written when the hour is over, with the next entry of anybody.
 */
export class Entries {
  readonly #clock: Clock;
  readonly #write: WriteEntry;
  /** Oldest first. */
  readonly #known = new Map<string, Counted>();
  readonly #strangers = new Map<string, Counted>();

  constructor(clock: Clock, write: WriteEntry) {
    this.#clock = clock;
    this.#write = write;
  }

  /**
   * About somebody who is known. Names them also where they are not counted alone.
   *
   * @param max Of a kind in an hour. Default 60.
   */
  ofKnown(who: string, what: string, subject: string, detail = "", max = KNOWN_MAX): void {
    this.#settle();
    const own = { who, what, subject, kind: "", max };
    const counted = hasRoom(this.#known, own, COUNTED_MAX) ? own : { ...own, who: OTHERS, subject: OTHERS };
    if (this.#isWithin(this.#known, counted)) this.#write(who, what, subject, detail);
  }

  /** A stranger was refused: the first of a kind in an hour. */
  ofStranger(address: string, kind: string, subject: string, why: string): void {
    this.#settle();
    const about = { what: "refused", subject, kind, max: STRANGER_MAX };
    const own = { ...about, who: `anonymous@${address}` };
    const counted = hasRoom(this.#strangers, own, STRANGERS_MAX) ? own : { ...about, who: `anonymous@${ELSEWHERE}` };
    if (this.#isWithin(this.#strangers, counted)) this.#write(counted.who, about.what, subject, why);
  }

  /** Counts it; whether it is to be written down. */
  #isWithin(all: Map<string, Counted>, about: Omit<Counted, "sinceMs" | "count">): boolean {
    const counted = all.get(keyOf(about)) ?? { ...about, sinceMs: this.#clock.elapsed(), count: 0 };
    all.set(keyOf(about), counted);
    counted.count += 1;
    return counted.count <= counted.max;
  }

  #settle(): void {
    const now = this.#clock.elapsed();
    for (const all of [this.#known, this.#strangers]) {
      for (const [key, { who, what, subject, kind, max, sinceMs, count }] of all) {
        if (now - sinceMs < WINDOW_MS) break;
        all.delete(key);
        const of = kind === "" ? "" : `${kind}: `;
        if (count > max) this.#write(who, what, subject, `${of}${count - max} more within the hour`);
      }
    }
  }
}

const hasRoom = (all: ReadonlyMap<string, Counted>, about: Parameters<typeof keyOf>[0], max: number): boolean =>
  all.size < max || all.has(keyOf(about));

const keyOf = ({ what, kind, who }: Pick<Counted, "what" | "kind" | "who">): string => `${what} ${kind} ${who}`;
