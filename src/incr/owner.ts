import { eachOf, type Few, withOne, withoutOne } from "./few.ts";
import { Derived, type Node } from "./node.ts";
import type { Scope } from "./scope.ts";

/** A node that makes sub-graphs, and releases them. */
export abstract class Owner<A, B> extends Derived<A, B> {
  readonly #outer: Scope;
  #owned: Few<Scope> = undefined;
  constructor(source: Node<A>) {
    super(source);
    this.#outer = this.graph.scope;
  }

  /** A scope for a new sub-graph. */
  protected begin(): Scope {
    const scope = this.#outer.child(this);
    this.#owned = withOne(this.#owned, scope);
    return scope;
  }

  /** Takes a sub-graph out of the graph; its clean-ups follow after the step. */
  protected end(scope: Scope): void {
    this.#owned = withoutOne(this.#owned, scope);
    scope.release((cleanups) => this.graph.afterStep(cleanups));
  }

  /** What it made has to stay above it too. */
  override eachAbove(visit: (node: Node<unknown>) => void): void {
    super.eachAbove(visit);
    eachOf(this.#owned, ({ nodes }) => {
      for (const node of nodes) visit(node);
    });
  }
}
