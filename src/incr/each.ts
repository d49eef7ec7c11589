import { Collection } from "./collection.ts";
import { JoinNode, type Summary } from "./join.ts";
import { Derived, type Node } from "./node.ts";
import { type Equal, Variable } from "./nodes.ts";
import { Owner } from "./owner.ts";
import type { Scope } from "./scope.ts";

interface Part<T> {
  readonly item: Variable<T>;
  readonly scope: Scope;
  readonly slot: number;
}

/** The results of the parts as a collection, changed by difference. */
class Results<R> implements Summary<R, Collection<R>> {
  readonly names: string[] = [];
  #set: [string, R][] = [];
  #removed: string[] = [];
  #collection = Collection.of<R>([]);
  update(slot: number, _before: R | undefined, after: R | undefined): void {
    const name = this.names[slot] ?? "";
    if (after === undefined) this.#removed.push(name);
    else this.#set.push([name, after]);
  }
  result(): Collection<R> {
    if (this.#set.length + this.#removed.length === 0) return this.#collection;
    this.#collection = this.#collection.change(this.#set, this.#removed);
    this.#set = [];
    this.#removed = [];
    return this.#collection;
  }
}

/** Makes, keeps and releases one sub-graph a key. */
class EachNode<T, R> extends Owner<Collection<T>, Collection<T>> {
  readonly #make: (key: string, item: Node<T>) => Node<R>;
  readonly #parts = new Map<string, Part<T>>();
  readonly #results = new Results<R>();
  readonly joined: JoinNode<R, Collection<R>>;
  #last: Collection<T> | undefined;

  constructor(source: Node<Collection<T>>, make: (key: string, item: Node<T>) => Node<R>) {
    super(source);
    this.#make = make;
    this.joined = new JoinNode(this.graph, [], this.#results);
    this.joined.reads(this);
  }

  override compute(): Collection<T> {
    const items = this.source.value;
    for (const key of items.differsFrom(this.#last, this.#parts)) this.#settle(key, items.entries);
    this.#last = items;
    return items;
  }

  #settle(key: string, items: ReadonlyMap<string, T>): void {
    const part = this.#parts.get(key);
    const item = items.get(key);
    if (item === undefined) {
      if (part !== undefined) this.#drop(key, part);
    } else if (part === undefined) this.#parts.set(key, this.#begin(key, item));
    else part.item.set(item);
  }

  #begin(key: string, value: T): Part<T> {
    const scope = this.begin();
    const [item, result] = this.graph.within(scope, () => {
      const made = new Variable(this.graph, value);
      return [made, this.#make(key, made)] as const;
    });
    const slot = this.joined.add(result);
    this.#results.names[slot] = key;
    return { item, scope, slot };
  }

  #drop(key: string, part: Part<T>): void {
    this.#parts.delete(key);
    this.joined.remove(part.slot);
    this.end(part.scope);
  }
}

/**
 * `make` once for each key of a collection, kept while the key stays and released when it goes. What `make` gives must
 * not become undefined: it would look like a part that is gone.
 */
export const eachNode = <T, R>(
  source: Node<Collection<T>>,
  make: (key: string, item: Node<T>) => Node<R>,
): Node<Collection<R>> => new EachNode(source, make).joined;

/** Folds a collection by difference: only the keys that changed are looked at. */
export interface Fold<T, S> {
  update(key: string, before: T | undefined, after: T | undefined): void;
  result(): S;
}

class FoldNode<T, S> extends Derived<Collection<T>, S> {
  readonly #fold: Fold<T, S>;
  readonly #equal: Equal<S>;
  readonly #seen = new Map<string, T>();
  #last: Collection<T> | undefined;
  constructor(source: Node<Collection<T>>, fold: Fold<T, S>, equal: Equal<S>) {
    super(source);
    this.#fold = fold;
    this.#equal = equal;
  }
  override compute(): S {
    const collection = this.source.value;
    for (const key of collection.differsFrom(this.#last, this.#seen)) {
      const before = this.#seen.get(key);
      const after = collection.entries.get(key);
      if (before === after) continue;
      if (after === undefined) this.#seen.delete(key);
      else this.#seen.set(key, after);
      this.#fold.update(key, before, after);
    }
    this.#last = collection;
    return this.#fold.result();
  }
  override same(before: S, after: S): boolean {
    return this.#equal(before, after);
  }
}

export const foldNode = <T, S>(source: Node<Collection<T>>, fold: Fold<T, S>, equal: Equal<S> = Object.is): Node<S> =>
  new FoldNode(source, fold, equal);
