import type { Node } from "./node.ts";

/**
 * The lifetime of a sub-graph: its nodes, its clean-ups and the scopes made inside it.
 *
 * The root scope lives for ever and keeps no list of its nodes.
 */
export class Scope {
  readonly #parent: Scope | undefined;
  #nodes: Node<unknown>[] = [];
  #cleanups: (() => void)[] = [];
  readonly #children = new Set<Scope>();
  released = false;

  private constructor(parent: Scope | undefined) {
    this.#parent = parent;
  }

  static root(): Scope {
    return new Scope(undefined);
  }

  child(): Scope {
    const scope = new Scope(this);
    this.#children.add(scope);
    return scope;
  }

  add(node: Node<unknown>): void {
    if (this.#parent !== undefined) this.#nodes.push(node);
  }

  /** To be called when the scope goes, after the step. */
  onRelease(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  /** Takes the nodes out of the graph at once; hands the clean-ups to `later`, newest first. */
  release(later: (cleanups: readonly (() => void)[]) => void): void {
    if (this.released) return;
    this.released = true;
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
    for (const child of this.#children) child.release(later);
    for (const node of this.#nodes) node.release();
    later(this.#cleanups.toReversed());
    this.#nodes = [];
    this.#cleanups = [];
  }
}
