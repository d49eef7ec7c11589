import { type Few, hasOne, withOne, withoutOne } from "./few.ts";
import type { Incremental } from "./incremental.ts";

/** A value that follows its inputs. Read it after a step; inside a step only nodes see each other. */
export interface Incr<T> {
  readonly value: T;
}

/** Marks a node that was made in this step and has not run yet. */
export const UNSET: unique symbol = Symbol("not computed yet");

/** Who reads a node: another node, or an object that knows which of its inputs it is (see `join.ts`). */
export interface Reader {
  readonly reader: Node<unknown>;
  /** An input has changed in this step: `compute` has to follow in the same step. */
  inputChanged(): void;
}

/** `aside`: not the value, but what the node knows besides. Its readers are not concerned. */
export type Change = "value" | "aside";

/** Who takes note of changes, in the midst of the step: other nodes are not to be read yet. */
export interface Watcher {
  noted(change: Change): void;
}

/**
 * One cell of the graph. `height` is above that of every input, and of the node that made it (if one did), and a step
 * runs the affected nodes lowest first: so each runs at most once, after all its inputs, and none sees half of a step.
 *
 * A graph may have millions of them: each field here is paid for that often.
 */
export abstract class Node<T> implements Incr<T>, Reader {
  readonly graph: Incremental;
  height = 0;
  dead = false;
  /** The one that waits below this one in the same step; null for the last, undefined when this one does not wait. */
  next: Node<unknown> | null | undefined = undefined;
  current: T | typeof UNSET = UNSET;
  readers: Few<Reader> = undefined;
  watchers: Few<Watcher> = undefined;

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

  get reader(): this {
    return this;
  }

  inputChanged(): void {
    this.graph.enqueue(this);
  }

  /** Tells of a new value: whoever takes note of it, and the readers. */
  changed(): void {
    this.notify("value");
    const { readers } = this;
    if (readers instanceof Set) for (const reader of readers) reader.inputChanged();
    else if (readers !== undefined) readers.inputChanged();
  }

  notify(change: Change): void {
    const { watchers } = this;
    if (watchers instanceof Set) for (const watcher of watchers) watcher.noted(change);
    else if (watchers !== undefined) watchers.noted(change);
  }

  /** Makes `source` an input of this node, which is being made and has no readers yet. */
  reads(source: Node<unknown>): void {
    source.readers = withOne(source.readers, this);
    if (this.height <= source.height) this.height = source.height + 1;
  }

  /** Calls `visit` with the nodes that have to stay above this one. */
  eachAbove(visit: (node: Node<unknown>) => void): void {
    const { readers } = this;
    if (readers instanceof Set) for (const { reader } of readers) visit(reader);
    else if (readers !== undefined) visit(readers.reader);
  }

  /** Calls `listener` after each step in which the value changed; returns how to stop. */
  watch(listener: () => void): () => void {
    const watcher = new Listener(this, listener);
    this.watchers = withOne<Watcher>(this.watchers, watcher);
    return () => {
      this.watchers = withoutOne<Watcher>(this.watchers, watcher);
    };
  }

  /** Leaves the graph; who reads something takes itself from its readers. This one's readers go with it. */
  release(): void {
    this.dead = true;
    this.watchers = undefined;
  }
}

/** Wants to be called when the step is over. */
export class Listener implements Watcher {
  readonly #node: Node<unknown>;
  readonly #listener: () => void;
  constructor(node: Node<unknown>, listener: () => void) {
    this.#node = node;
    this.#listener = listener;
  }
  noted(change: Change): void {
    if (change === "value") this.#node.graph.afterChange(this);
  }
  /** Says nothing to who left, or whose node did, since the change. */
  call(): void {
    if (hasOne<Watcher>(this.#node.watchers, this)) this.#listener();
  }
}

/** A node with one input. */
export abstract class Derived<A, B> extends Node<B> {
  protected readonly source: Node<A>;
  constructor(source: Node<A>) {
    super(source.graph);
    this.source = source;
    this.reads(source);
    this.graph.enqueue(this);
  }
  override release(): void {
    this.source.readers = withoutOne<Reader>(this.source.readers, this);
    super.release();
  }
}
