import { Incremental } from "../incr/index.ts";
import type { Term } from "./term.ts";

/** The terms of one running pipeline, and which of them changed in the last step. */
export class World {
  readonly graph = new Incremental();
  /** Boxes by key. */
  readonly terms = new Map<string, Term<unknown>>();
  /** Grows whenever a box comes or goes. */
  structure = 0;
  /** The heading of terms made now. */
  group = "";
  #changed = new Set<Term<unknown>>();
  #numbers = 0;

  number(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  register(term: Term<unknown>): void {
    this.terms.set(term.key, term);
    this.#restructured(term);
    const changed = (): void => void this.#changed.add(term);
    const watches = [term.node.watch(changed), term.answer?.watch(changed)];
    this.graph.scope.onRelease(() => {
      for (const unwatch of watches) unwatch?.();
      if (this.terms.get(term.key) !== term) return; // made again under the same key in the same step
      this.terms.delete(term.key);
      this.#restructured(term);
    });
  }

  #restructured(term: Term<unknown>): void {
    this.structure += 1;
    this.#changed.add(term);
  }

  /** Says that something of a term is to be drawn again, such as the progress of its job. */
  touch(key: string): void {
    const term = this.terms.get(key);
    if (term !== undefined) this.#changed.add(term);
  }

  /** Boxes that changed, came or went since the last call. */
  takeChanged(): readonly Term<unknown>[] {
    const changed = [...this.#changed];
    this.#changed = new Set();
    return changed;
  }

  /** Terms that `make` makes are drawn under this heading. */
  grouped<T>(group: string, make: () => T): T {
    const outer = this.group;
    this.group = group;
    try {
      return make();
    } finally {
      this.group = outer;
    }
  }
}
