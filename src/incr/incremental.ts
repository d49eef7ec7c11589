import { type Listener, type Node, UNSET } from "./node.ts";
import { Scope } from "./scope.ts";

/**
 * Glitch-free change propagation: set variables, then `propagate()` makes one step of it.
 *
 * The nodes to run wait in one list a height; a step takes them lowest first. A node made during a step waits like
 * the others, so a new sub-graph never reads an input that is still to be run. There is no recursion: a chain of
 * 100,000 nodes is as good as a wide graph.
 */
export class Incremental {
  /** Lives as long as the graph. */
  readonly root = Scope.root();
  /** The scope that new nodes belong to. */
  scope: Scope = this.root;
  /** How often a node has run, in all. */
  runs = 0;
  /** By height: the node that came last, which leads to the others. */
  readonly #waiting: (Node<unknown> | null)[] = [];
  #lowest = 0;
  #count = 0;
  #stepping = false;
  #changed: Listener[] = [];
  #released: (() => void)[] = [];

  /** Inside a sub-graph a node starts above the node that may release it: it never runs with what is about to go. */
  adopt(node: Node<never> | Node<unknown>): void {
    this.scope.add(node);
    if (this.scope.owner !== undefined) node.height = this.scope.owner.height + 1;
  }

  /** Puts a node among those to run in this step (or in the next, outside of one). */
  enqueue(node: Node<unknown>): void {
    if (node.next !== undefined || node.dead) return;
    this.#count += 1;
    this.#place(node);
  }

  #place(node: Node<unknown>): void {
    const { height } = node;
    while (this.#waiting.length <= height) this.#waiting.push(null);
    node.next = this.#waiting[height] ?? null;
    this.#waiting[height] = node;
    if (height < this.#lowest) this.#lowest = height;
  }

  /** Raises a node, whatever reads it and whatever it made to at least `height`. */
  lift(node: Node<unknown>, height: number): void {
    if (node.height >= height) return;
    node.height = height;
    const raised = [node];
    for (let top = raised.pop(); top !== undefined; top = raised.pop()) {
      const least = top.height + 1;
      top.eachAbove((above) => {
        if (above === node) throw new Error("a value may not depend on itself");
        if (above.height >= least) return;
        above.height = least;
        raised.push(above);
      });
    }
  }

  /** Clean-ups wait for the end of the step: what leaves and comes back within one step is not torn down. */
  afterStep(cleanups: readonly (() => void)[]): void {
    this.#released.push(...cleanups);
  }

  /** A listener whose node has changed is called at the end of the step, after the clean-ups. */
  afterChange(listener: Listener): void {
    this.#changed.push(listener);
  }

  /** Whether a step is being made right now: values may be half of it. */
  get stepping(): boolean {
    return this.#stepping;
  }

  get pending(): boolean {
    return this.#count > 0 || this.#released.length > 0;
  }

  /**
   * Runs every node that a change can reach, each once; then the clean-ups, then the listeners of changed nodes.
   * @returns How many nodes ran.
   */
  propagate(): number {
    if (this.#stepping) throw new Error("propagate() inside a step");
    this.#stepping = true;
    const before = this.runs;
    try {
      while (this.#count > 0) this.#runLowest();
    } finally {
      this.#stepping = false;
    }
    this.#finish();
    return this.runs - before;
  }

  #runLowest(): void {
    let node = this.#waiting[this.#lowest];
    while (node === undefined || node === null) {
      this.#lowest += 1;
      node = this.#waiting[this.#lowest];
    }
    this.#waiting[this.#lowest] = node.next ?? null;
    if (node.height > this.#lowest && !node.dead) return this.#place(node); // was lifted while it waited
    node.next = undefined;
    this.#count -= 1;
    if (!node.dead) this.#run(node);
  }

  #run(node: Node<unknown>): void {
    this.runs += 1;
    const before = node.current;
    const after = node.compute();
    if (before !== UNSET && node.same(before, after)) return;
    node.current = after;
    node.changed();
  }

  #finish(): void {
    const released = this.#released;
    const changed = this.#changed;
    this.#released = [];
    this.#changed = [];
    for (const cleanup of released) cleanup();
    for (const listener of changed) listener.call();
  }

  /** Runs `make` with its nodes and clean-ups belonging to `scope`. */
  within<T>(scope: Scope, make: () => T): T {
    const outer = this.scope;
    this.scope = scope;
    try {
      return make();
    } finally {
      this.scope = outer;
    }
  }
}
