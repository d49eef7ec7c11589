import type { Incremental } from "./incremental.ts";
import { type Edge, Node } from "./node.ts";
import type { Equal } from "./nodes.ts";

/** A summary of many inputs that is updated by difference: it keeps counts, it does not read the others again. */
export interface Summary<T, S> {
  /** `before` is undefined when the input is new, `after` when it is gone. */
  update(slot: number, before: T | undefined, after: T | undefined): void;
  /** The summary as a value; equal ones stop the change. */
  result(): S;
}

/** A join over inputs that may come and go; a change costs the inputs that changed, not all of them. */
export class JoinNode<T, S> extends Node<S> {
  readonly #summary: Summary<T, S>;
  readonly #equal: Equal<S>;
  readonly #inputs: (Node<T> | undefined)[] = [];
  readonly #edges: (Edge | undefined)[] = [];
  readonly #seen: (T | undefined)[] = [];
  readonly #free: number[] = [];
  #changed: number[] = [];

  constructor(graph: Incremental, inputs: readonly Node<T>[], summary: Summary<T, S>, equal: Equal<S> = Object.is) {
    super(graph);
    this.#summary = summary;
    this.#equal = equal;
    for (const input of inputs) this.add(input);
    graph.enqueue(this);
  }
  add(input: Node<T>): number {
    const slot = this.#free.pop() ?? this.#inputs.length;
    this.#inputs[slot] = input;
    this.#edges[slot] = this.link(input, slot);
    this.#touch(slot);
    return slot;
  }
  remove(slot: number): void {
    const edge = this.#edges[slot];
    if (edge !== undefined) Node.cut(edge);
    this.#edges[slot] = undefined;
    this.#inputs[slot] = undefined;
    this.#touch(slot);
  }
  #touch(slot: number): void {
    this.#changed.push(slot);
    this.graph.enqueue(this);
  }
  override inputChanged(slot: number): void {
    if (slot >= 0) this.#changed.push(slot);
  }
  override compute(): S {
    const changed = this.#changed;
    this.#changed = [];
    const freed = new Set<number>(); // a slot is used again only after its reader was told that it is gone
    for (const slot of changed) {
      const before = this.#seen[slot];
      const input = this.#inputs[slot];
      const after = input?.value;
      if (before !== after) {
        this.#seen[slot] = after;
        this.#summary.update(slot, before, after);
      }
      if (input === undefined) freed.add(slot);
    }
    this.#free.push(...freed);
    return this.#summary.result();
  }
  override release(): void {
    for (const edge of this.#edges) if (edge !== undefined) Node.cut(edge);
    super.release();
  }
  override same(before: S, after: S): boolean {
    return this.#equal(before, after);
  }
}
