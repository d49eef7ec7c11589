import { withoutOne } from "./few.ts";
import type { Incremental } from "./incremental.ts";
import { Derived, Node, type Reader } from "./node.ts";

/** Whether two values say the same, so that the change goes no further. */
export type Equal<T> = (before: T, after: T) => boolean;

/** A value that is set from outside. */
export class Variable<T> extends Node<T> {
  #next: T;
  readonly #equal: Equal<T>;
  constructor(graph: Incremental, value: T, equal: Equal<T> = Object.is) {
    super(graph);
    this.#next = value;
    this.#equal = equal;
    graph.enqueue(this);
  }
  /** Takes effect in the next step. */
  set(value: T): void {
    this.#next = value;
    this.graph.enqueue(this);
  }
  /** The value that the next step will see. */
  get latest(): T {
    return this.#next;
  }
  override compute(): T {
    return this.#next;
  }
  override same(before: T, after: T): boolean {
    return this.#equal(before, after);
  }
}

class MapNode<A, B> extends Derived<A, B> {
  readonly #f: (value: A) => B;
  readonly #equal: Equal<B>;
  constructor(source: Node<A>, f: (value: A) => B, equal: Equal<B>) {
    super(source);
    this.#f = f;
    this.#equal = equal;
  }
  override compute(): B {
    return this.#f(this.source.value);
  }
  override same(before: B, after: B): boolean {
    return this.#equal(before, after);
  }
}

/** `f` of the value; equal results (default: identical) stop the change. `f` must not throw. */
export const mapNode = <A, B>(source: Node<A>, f: (value: A) => B, equal: Equal<B> = Object.is): Node<B> =>
  new MapNode(source, f, equal);

class Map2Node<A, B, C> extends Derived<A, C> {
  readonly #second: Node<B>;
  readonly #f: (a: A, b: B) => C;
  readonly #equal: Equal<C>;
  constructor(a: Node<A>, b: Node<B>, f: (a: A, b: B) => C, equal: Equal<C>) {
    super(a);
    this.#second = b;
    this.#f = f;
    this.#equal = equal;
    this.reads(b);
  }
  override compute(): C {
    return this.#f(this.source.value, this.#second.value);
  }
  override same(before: C, after: C): boolean {
    return this.#equal(before, after);
  }
  override release(): void {
    this.#second.readers = withoutOne<Reader>(this.#second.readers, this);
    super.release();
  }
}

/** `f` of two values, as `mapNode`. */
export const map2Node = <A, B, C>(a: Node<A>, b: Node<B>, f: (a: A, b: B) => C, equal: Equal<C> = Object.is): Node<C> =>
  new Map2Node(a, b, f, equal);
