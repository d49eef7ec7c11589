import type { Journal } from "./journal.ts";
import type { HeadRow, Queries } from "./store/store.ts";

/** The last good value of every monitor: read from the store once, memory is the truth after that. */
export class Heads {
  readonly #rows: Map<string, HeadRow>;
  readonly #journal: Journal;

  constructor(queries: Queries, journal: Journal) {
    this.#rows = new Map(queries.heads().map((row) => [row.key, row]));
    this.#journal = journal;
  }

  get(key: string): HeadRow | undefined {
    return this.#rows.get(key);
  }

  put(row: HeadRow): void {
    this.#rows.set(row.key, row);
    this.#journal.note({ put: "head", row });
  }
}
