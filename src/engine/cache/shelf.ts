import type { Result } from "../../term/output.ts";
import type { JobId } from "../job.ts";
import type { ResultRow } from "../store/store.ts";

/** An instance whatever its types: they are those of the builder that made it. */
export interface AnyInstance {
  readonly uses: number;
  rebuild(): Promise<Result<JobId>>;
}

/** How many results of one builder are kept in memory that nobody uses: a branch often goes back to one of them. */
export const RESTED_MAX = 50;

/** The keys of one builder that are in use, and the results of some that are not. */
export class Shelf {
  readonly instances = new Map<string, AnyInstance>();
  /** Whoever came to rest last stands last. */
  readonly #rested = new Map<string, ResultRow>();
  readonly #read: (key: string) => ResultRow | undefined;

  /** @param read Finds a recorded result in the store. */
  constructor(read: (key: string) => ResultRow | undefined) {
    this.#read = read;
  }

  /** Read at the start, beyond all bounds: most of them are taken at once. */
  recorded(row: ResultRow): void {
    this.#rested.set(row.key, row);
  }

  /** The recorded result of a key that comes into use. */
  take(digest: string): ResultRow | undefined {
    const rested = this.#rested.get(digest);
    if (rested === undefined) return this.#read(digest);
    this.#rested.delete(digest);
    return rested;
  }

  /** The oldest results leave memory; they stay in the store. */
  rest(digest: string, row: ResultRow | undefined): void {
    this.instances.delete(digest);
    if (row !== undefined) this.#rested.set(digest, row);
    for (const oldest of this.#rested.keys()) {
      if (this.#rested.size <= RESTED_MAX) return;
      this.#rested.delete(oldest);
    }
  }

  /** How many results are kept in memory that nobody uses. */
  get rested(): number {
    return this.#rested.size;
  }
}
