import { Pool } from "./pool.ts";

/** One of those whose jobs are counted together, and how many of them may be on their way at the same time. */
export interface Share {
  /** `author 77`, `repository 5`. */
  readonly name: string;
  readonly max: number;
}

/**
 * A pool that nobody can fill alone: whoever has their share of jobs queued or running waits outside of its queue.
 */
export class SharedPool extends Pool {
  readonly #shares = new Map<string, Pool>();

  /** The pool as the jobs of these see it; the narrowest share first. */
  for(shares: readonly Share[]): Pool {
    return new PoolOf(this, shares, (share) => this.#share(share));
  }

  /** Shares that somebody uses. */
  get shares(): number {
    return this.#shares.size;
  }

  #share({ name, max }: Share): Pool {
    const known = this.#shares.get(name);
    if (known !== undefined) return known;
    for (const [other, pool] of this.#shares) if (pool.used + pool.waiting === 0) this.#shares.delete(other);
    const made = new Pool(name, max);
    this.#shares.set(name, made);
    return made;
  }
}

/** Takes a place of each share in order, then one of the whole; in one order for all, so that none wait in a circle. */
class PoolOf extends Pool {
  readonly #whole: Pool;
  readonly #shares: readonly Share[];
  readonly #poolOf: (share: Share) => Pool;

  constructor(whole: Pool, shares: readonly Share[], poolOf: (share: Share) => Pool) {
    super(whole.name, whole.capacity);
    this.#whole = whole;
    this.#shares = shares;
    this.#poolOf = poolOf;
  }

  override get used(): number {
    return this.#whole.used;
  }
  override get waiting(): number {
    return this.#whole.waiting;
  }

  override async acquire(signal: AbortSignal, priority: "high" | "low" = "high"): Promise<(() => void) | undefined> {
    const taken: (() => void)[] = [];
    for (const share of [...this.#shares, undefined]) {
      const pool = share === undefined ? this.#whole : this.#poolOf(share); // looked up now: unused ones are forgotten
      const giveBack = await pool.acquire(signal, priority);
      if (giveBack === undefined) {
        for (const back of taken.toReversed()) back();
        return undefined;
      }
      taken.push(giveBack);
    }
    return () => {
      for (const back of taken.splice(0).toReversed()) back();
    };
  }
}
