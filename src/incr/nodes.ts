import type { Incremental } from "./incremental.ts";
import { type Incr, Node } from "./node.ts";

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

class MapNode<A, B> extends Node<B> {
  readonly #source: Incr<A>;
  readonly #f: (value: A) => B;
  readonly #equal: Equal<B>;
  constructor(source: Node<A>, f: (value: A) => B, equal: Equal<B>) {
    super(source.graph);
    this.#source = source;
    this.#f = f;
    this.#equal = equal;
    this.reads(source, 0);
    this.graph.enqueue(this);
  }
  override compute(): B {
    return this.#f(this.#source.value);
  }
  override same(before: B, after: B): boolean {
    return this.#equal(before, after);
  }
}

/** `f` of the value; equal results (default: identical) stop the change. `f` must not throw. */
export const mapNode = <A, B>(source: Node<A>, f: (value: A) => B, equal: Equal<B> = Object.is): Node<B> =>
  new MapNode(source, f, equal);

class Map2Node<A, B, C> extends Node<C> {
  readonly #a: Incr<A>;
  readonly #b: Incr<B>;
  readonly #f: (a: A, b: B) => C;
  readonly #equal: Equal<C>;
  constructor(a: Node<A>, b: Node<B>, f: (a: A, b: B) => C, equal: Equal<C>) {
    super(a.graph);
    this.#a = a;
    this.#b = b;
    this.#f = f;
    this.#equal = equal;
    this.reads(a, 0);
    this.reads(b, 1);
    this.graph.enqueue(this);
  }
  override compute(): C {
    return this.#f(this.#a.value, this.#b.value);
  }
  override same(before: C, after: C): boolean {
    return this.#equal(before, after);
  }
}

export const map2Node = <A, B, C>(a: Node<A>, b: Node<B>, f: (a: A, b: B) => C, equal: Equal<C> = Object.is): Node<C> =>
  new Map2Node(a, b, f, equal);
