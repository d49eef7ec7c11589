import type { Incremental } from "./incremental.ts";
import type { Scope } from "./scope.ts";

/** A value that follows its inputs. Read it after a step; inside a step only nodes see each other. */
export interface Incr<T> {
  readonly value: T;
}

/** Marks a node that was made in this step and has not run yet. */
export const UNSET: unique symbol = Symbol("not computed yet");

/**
 * From a node to one that reads it. `slot` is the reader's name for the input; `at` is the edge's place in
 * `source.out`, so that taking one reader away from a node with 100,000 of them costs the same as from one with two.
 */
export interface Edge {
  readonly source: Node<unknown>;
  readonly target: Node<unknown>;
  readonly slot: number;
  at: number;
}

/**
 * One cell of the graph. `height` is above that of every input, and of the node that made it (if one did), and a step
 * runs the affected nodes lowest first: so each runs at most once, after all its inputs, and none sees half of a step.
 */
export abstract class Node<T> implements Incr<T> {
  readonly graph: Incremental;
  height = 0;
  queued = false;
  dead = false;
  current: T | typeof UNSET = UNSET;
  /** Nodes that read this one. */
  out: Edge[] = [];
  /** Where its inputs point at it. */
  readonly ins: Edge[] = [];
  /** Sub-graphs that this node makes and releases. */
  owned: Set<Scope> | undefined = undefined;
  /** Called after each step in which the value changed. */
  watchers: readonly (() => void)[] | undefined = undefined;

  constructor(graph: Incremental) {
    this.graph = graph;
    graph.adopt(this);
  }

  /** Whether it has run in a step already. */
  get computed(): boolean {
    return this.current !== UNSET;
  }

  get value(): T {
    if (this.current === UNSET) throw new Error("this value is not computed before the first propagate()");
    return this.current;
  }

  /** The new value; called by the step, once, after all inputs. */
  abstract compute(): T;

  /** Equal values stop the change from going on. */
  same(before: T, after: T): boolean {
    return Object.is(before, after);
  }

  /** An input has changed in this step; `compute` follows in the same step. */
  inputChanged(_slot: number): void {}

  /** Calls `listener` after each step in which the value changed; returns how to stop. */
  watch(listener: () => void): () => void {
    this.watchers = [...(this.watchers ?? []), listener];
    return () => {
      this.watchers = this.watchers?.filter((one) => one !== listener);
    };
  }

  /** Makes `source` an input for as long as this node lives. */
  reads(source: Node<unknown>, slot: number): void {
    this.ins.push(this.link(source, slot));
  }

  link(source: Node<unknown>, slot: number): Edge {
    const edge: Edge = { source, target: this, slot, at: source.out.length };
    source.out.push(edge);
    this.graph.lift(this, source.height + 1);
    return edge;
  }

  /** Stops reading: the edge is taken out of the source's list by swapping the last one into its place. */
  static cut(edge: Edge): void {
    const { out } = edge.source;
    const last = out.pop();
    if (last === undefined || last === edge) return;
    out[edge.at] = last;
    last.at = edge.at;
  }

  /** Leaves the graph. Its readers belong to the same scope and go with it. */
  release(): void {
    this.dead = true;
    this.watchers = undefined;
    for (const edge of this.ins) Node.cut(edge);
    this.ins.length = 0;
  }
}
