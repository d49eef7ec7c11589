import { withOne, withoutOne } from "./few.ts";
import type { Incremental } from "./incremental.ts";
import { Node, type Reader } from "./node.ts";
import type { Equal } from "./nodes.ts";

/** A summary of many inputs that is updated by difference: it keeps counts, it does not read the others again. */
export interface Summary<T, S> {
  /** `before` is undefined when the input is new, `after` when it is gone. */
  update(slot: number, before: T | undefined, after: T | undefined): void;
  /** The summary as a value; equal ones stop the change. */
  result(): S;
}

/** One input of a join: reads in its name. */
class Input<T, S> implements Reader {
  readonly reader: JoinNode<T, S>;
  readonly slot: number;
  /** Undefined when it is no input any more. */
  source: Node<T> | undefined;
  /** As the summary knows it. */
  seen: T | undefined = undefined;
  constructor(reader: JoinNode<T, S>, slot: number, source: Node<T>) {
    this.reader = reader;
    this.slot = slot;
    this.source = source;
    source.readers = withOne<Reader>(source.readers, this);
  }
  inputChanged(): void {
    this.reader.touch(this);
  }
  leave(): void {
    if (this.source !== undefined) this.source.readers = withoutOne<Reader>(this.source.readers, this);
    this.source = undefined;
  }
}

/** A join over inputs that may come and go; a change costs the inputs that changed, not all of them. */
export class JoinNode<T, S> extends Node<S> {
  readonly #summary: Summary<T, S>;
  readonly #equal: Equal<S>;
  readonly #inputs: (Input<T, S> | undefined)[] = [];
  readonly #free: number[] = [];
  #changed: Input<T, S>[] = [];

  constructor(graph: Incremental, inputs: readonly Node<T>[], summary: Summary<T, S>, equal: Equal<S> = Object.is) {
    super(graph);
    this.#summary = summary;
    this.#equal = equal;
    for (const input of inputs) this.add(input);
    graph.enqueue(this);
  }
  /** Returns the slot of the new input. */
  add(source: Node<T>): number {
    const slot = this.#free.pop() ?? this.#inputs.length;
    const input = new Input(this, slot, source);
    this.#inputs[slot] = input;
    this.graph.lift(this, source.height + 1);
    this.touch(input);
    return slot;
  }
  remove(slot: number): void {
    const input = this.#inputs[slot];
    if (input === undefined) return;
    input.leave();
    this.touch(input);
  }
  touch(input: Input<T, S>): void {
    this.#changed.push(input);
    this.graph.enqueue(this);
  }
  override compute(): S {
    const changed = this.#changed;
    this.#changed = [];
    const free: number[] = []; // a slot is used again only after its reader was told that it is gone
    for (const input of changed) {
      const { slot, seen, source } = input;
      const after = source?.value;
      if (seen !== after) {
        input.seen = after;
        this.#summary.update(slot, seen, after);
      }
      if (source !== undefined || this.#inputs[slot] !== input) continue;
      this.#inputs[slot] = undefined;
      free.push(slot);
    }
    this.#free.push(...free);
    return this.#summary.result();
  }
  override release(): void {
    for (const input of this.#inputs) input?.leave();
    super.release();
  }
  override same(before: S, after: S): boolean {
    return this.#equal(before, after);
  }
}
