import { type Edge, type Incr, Node } from "./node.ts";
import type { Scope } from "./scope.ts";

/** The value of whichever node is followed at the moment. */
class BoundNode<B> extends Node<B> {
  #followed: Node<B> | undefined;
  #edge: Edge | undefined;
  follow(wanted: Node<B>): void {
    if (this.#edge !== undefined) Node.cut(this.#edge);
    this.#followed = wanted;
    // Linking lifts this node above the wanted one, so that it runs after it, in the same step.
    this.#edge = this.link(wanted, 1);
    this.graph.enqueue(this);
  }
  override compute(): B {
    if (this.#followed === undefined) throw new Error("a bound value ran before its source");
    return this.#followed.value;
  }
  override release(): void {
    if (this.#edge !== undefined) Node.cut(this.#edge);
    super.release();
  }
}

/** Runs `make` for each new value of the source, in a scope that ends with that value. */
class BindNode<A, B> extends Node<Node<B>> {
  readonly #source: Incr<A>;
  readonly #make: (value: A) => Node<B>;
  readonly #outer: Scope;
  readonly bound: BoundNode<B>;
  #inner: Scope | undefined;
  constructor(source: Node<A>, make: (value: A) => Node<B>, bound: BoundNode<B>) {
    super(source.graph);
    this.#source = source;
    this.#make = make;
    this.bound = bound;
    this.#outer = this.graph.scope;
    this.reads(source, 0);
    bound.reads(this, 0);
    this.graph.enqueue(this);
  }
  override compute(): Node<B> {
    const left = this.#inner;
    this.#inner = this.#outer.child(this);
    const made = this.graph.within(this.#inner, () => this.#make(this.#source.value));
    this.bound.follow(made);
    // Released only after the new one is made: what both use is never let go in between.
    left?.release((cleanups) => this.graph.afterStep(cleanups));
    return made;
  }
}

/** The value of the node that `make` returns for the source's value; what `make` makes is released with that value. */
export function bindNode<A, B>(source: Node<A>, make: (value: A) => Node<B>): Node<B> {
  const bound = new BoundNode<B>(source.graph);
  return new BindNode(source, make, bound).bound;
}
