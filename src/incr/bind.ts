import { withOne, withoutOne } from "./few.ts";
import { Node, type Reader } from "./node.ts";
import { Owner } from "./owner.ts";
import type { Scope } from "./scope.ts";

/** The value of whichever node is followed at the moment. */
class BoundNode<B> extends Node<B> {
  #followed: Node<B> | undefined;
  follow(wanted: Node<B>): void {
    this.#leave();
    this.#followed = wanted;
    wanted.readers = withOne<Reader>(wanted.readers, this);
    // Lifted above the wanted one, so that it runs after it, in the same step.
    this.graph.lift(this, wanted.height + 1);
    this.graph.enqueue(this);
  }
  override compute(): B {
    if (this.#followed === undefined) throw new Error("a bound value ran before its source");
    return this.#followed.value;
  }
  override release(): void {
    this.#leave();
    super.release();
  }
  #leave(): void {
    if (this.#followed !== undefined) this.#followed.readers = withoutOne<Reader>(this.#followed.readers, this);
  }
}

/** Runs `make` for each new value of the source, in a scope that ends with that value. */
class BindNode<A, B> extends Owner<A, Node<B>> {
  readonly #make: (value: A) => Node<B>;
  readonly bound: BoundNode<B>;
  #inner: Scope | undefined;
  constructor(source: Node<A>, make: (value: A) => Node<B>, bound: BoundNode<B>) {
    super(source);
    this.#make = make;
    this.bound = bound;
    bound.reads(this);
  }
  override compute(): Node<B> {
    const left = this.#inner;
    this.#inner = this.begin();
    const made = this.graph.within(this.#inner, () => this.#make(this.source.value));
    this.bound.follow(made);
    // Released only after the new one is made: what both use is never let go in between.
    if (left !== undefined) this.end(left);
    return made;
  }
}

/** The value of the node that `make` returns for the source's value; what `make` makes is released with that value. */
export function bindNode<A, B>(source: Node<A>, make: (value: A) => Node<B>): Node<B> {
  const bound = new BoundNode<B>(source.graph);
  return new BindNode(source, make, bound).bound;
}
