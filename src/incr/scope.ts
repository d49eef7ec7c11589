import { eachOf, type Few, withOne, withoutOne } from "./few.ts";
import type { Node } from "./node.ts";

/**
 * The lifetime of a sub-graph: its nodes, its clean-ups and the scopes made inside it.
 *
 * The root scope lives for ever and keeps no list of its nodes.
 */
export class Scope {
  /** The node that makes and releases the sub-graph; what is in it runs after that node. */
  readonly owner: Node<unknown> | undefined;
  readonly #parent: Scope | undefined;
  #nodes: Node<unknown>[] = [];
  #cleanups: Few<() => void> = undefined;
  #children: Few<Scope> = undefined;
  released = false;

  private constructor(parent: Scope | undefined, owner: Node<unknown> | undefined) {
    this.#parent = parent;
    this.owner = owner;
  }

  static root(): Scope {
    return new Scope(undefined, undefined);
  }

  /** Whether it is the root, which is never released. */
  get lasting(): boolean {
    return this.#parent === undefined;
  }

  child(owner: Node<unknown>): Scope {
    const scope = new Scope(this, owner);
    this.#children = withOne(this.#children, scope);
    return scope;
  }

  get nodes(): readonly Node<unknown>[] {
    return this.#nodes;
  }

  add(node: Node<unknown>): void {
    if (this.#parent !== undefined) this.#nodes.push(node);
  }

  /** To be called when the scope goes, after the step. Returns how to call it off. */
  onRelease(cleanup: () => void): () => void {
    const own = (): void => cleanup(); // the same function may be given twice, and called off once
    this.#cleanups = withOne(this.#cleanups, own);
    return () => {
      this.#cleanups = withoutOne(this.#cleanups, own);
    };
  }

  /** Takes the nodes out of the graph at once; hands the clean-ups to `later`, newest first. */
  release(later: (cleanups: readonly (() => void)[]) => void): void {
    if (this.released) return;
    this.released = true;
    if (this.#parent !== undefined) this.#parent.#children = withoutOne(this.#parent.#children, this);
    eachOf(this.#children, (child) => child.release(later));
    for (const node of this.#nodes) node.release();
    const cleanups: (() => void)[] = [];
    eachOf(this.#cleanups, (cleanup) => cleanups.push(cleanup));
    later(cleanups.toReversed());
    this.#nodes = [];
    this.#cleanups = undefined;
  }
}
