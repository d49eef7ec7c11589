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
  readonly #cleanups = new Set<() => void>();
  readonly #children = new Set<Scope>();
  released = false;

  private constructor(parent: Scope | undefined, owner: Node<unknown> | undefined) {
    this.#parent = parent;
    this.owner = owner;
  }

  static root(): Scope {
    return new Scope(undefined, undefined);
  }

  child(owner: Node<unknown>): Scope {
    const scope = new Scope(this, owner);
    this.#children.add(scope);
    owner.owned ??= new Set();
    owner.owned.add(scope);
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
    const once = (): void => cleanup();
    this.#cleanups.add(once);
    return () => this.#cleanups.delete(once);
  }

  /** Takes the nodes out of the graph at once; hands the clean-ups to `later`, newest first. */
  release(later: (cleanups: readonly (() => void)[]) => void): void {
    if (this.released) return;
    this.released = true;
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
    this.owner?.owned?.delete(this);
    for (const child of this.#children) child.release(later);
    for (const node of this.#nodes) node.release();
    later([...this.#cleanups].toReversed());
    this.#nodes = [];
    this.#cleanups.clear();
  }
}
