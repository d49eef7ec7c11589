import { Incremental, type Watcher, withOne, withoutOne } from "../incr/index.ts";
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
  #changed: Term<unknown>[] = [];
  /** How many lists of changed boxes there were. */
  #lists = 1;
  #numbers = 0;

  number(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  register(term: Term<unknown>): void {
    const { node } = term;
    this.terms.set(term.key, term);
    this.#restructured(term);
    node.watchers = withOne<Watcher>(node.watchers, term);
    if (term.scope.lasting) return;
    term.scope.onRelease(() => {
      node.watchers = withoutOne<Watcher>(node.watchers, term);
      if (this.terms.get(term.key) !== term) return; // made again under the same key in the same step
      this.terms.delete(term.key);
      this.#restructured(term);
    });
  }

  #restructured(term: Term<unknown>): void {
    this.structure += 1;
    this.note(term);
  }

  /** Says that a box is to be drawn again. */
  note(term: Term<unknown>): void {
    if (term.list === this.#lists) return;
    term.list = this.#lists;
    this.#changed.push(term);
  }

  /** Says that something of a term is to be drawn again, such as the progress of its job. */
  touch(key: string): void {
    const term = this.terms.get(key);
    if (term !== undefined) this.note(term);
  }

  /** Boxes that changed, came or went since the last call. */
  takeChanged(): readonly Term<unknown>[] {
    const changed = this.#changed;
    this.#changed = [];
    this.#lists += 1;
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
