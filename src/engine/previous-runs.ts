import type { Engine } from "./engine.ts";
import type { JobId } from "./job.ts";
import type { JobRow, LastRun } from "./store/store.ts";

interface Known {
  readonly number: number;
  readonly term: string;
  readonly run: LastRun | undefined;
}

const SPARE = 1_000;

/**
 * The last run of each term and operation that has ended, so that a job knows which of its inputs have changed.
 *
 * Read from the store at the first job of a term, and in memory from then on, for as long as the term is there.
 */
export class PreviousRuns {
  readonly #engine: Engine;
  readonly #ended = new Map<string, Known>();
  readonly #open = new Map<JobId, { readonly number: number; readonly inputs: LastRun["inputs"] }>();
  #number = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** How many are in memory. */
  get size(): number {
    return this.#ended.size + this.#open.size;
  }

  of(term: string, op: string): LastRun | undefined {
    const name = nameOf(term, op);
    const known = this.#ended.get(name);
    if (known !== undefined) return known.run;
    const run = this.#engine.store.queries.lastRun(term, op);
    this.#keep(name, { number: 0, term, run });
    return run;
  }

  begin(id: JobId, inputs: LastRun["inputs"]): void {
    this.#number += 1;
    this.#open.set(id, { number: this.#number, inputs });
  }

  /** A job has ended; one that was born after it and has ended already stays the last. */
  end({ id, term, op, key, state }: JobRow): void {
    const begun = this.#open.get(id);
    if (begun === undefined) return;
    this.#open.delete(id);
    const name = nameOf(term, op);
    const known = this.#ended.get(name);
    if (known !== undefined && known.number > begun.number) return;
    this.#keep(name, { number: begun.number, term, run: { id, key, state, inputs: begun.inputs } });
  }

  /** Rows were changed behind its back. */
  forget(): void {
    this.#ended.clear();
  }

  #keep(name: string, known: Known): void {
    this.#ended.set(name, known);
    const { terms } = this.#engine.world;
    if (this.#ended.size <= 4 * terms.size + SPARE) return;
    for (const [other, { term }] of this.#ended) if (!terms.has(term)) this.#ended.delete(other);
  }
}

const nameOf = (term: string, op: string): string => `${op} ${term}`;
