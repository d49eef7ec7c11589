import { Collection, eachNode, foldNode, map2Node, mapNode, type Node, Variable } from "../incr/index.ts";
import { foldParts } from "./join.ts";
import { identical, type Output, ok } from "./output.ts";
import { Term } from "./term.ts";

/**
 * One sub-graph for each key of a changing collection (the branches of a repository, say): made when the key
 * appears, kept while it stays, released when it goes.
 *
 * While the collection itself is failed or on its way, the sub-graphs stay as they are: a failed read never cancels
 * work and is never taken for "nothing there". Ok when every part is ok.
 */
export function each<T, R>(
  term: Term<Collection<T>>,
  make: (key: string, item: Term<T>) => Term<R>,
): Term<Collection<Output<R>>> {
  const { world } = term;
  const kept = lastGood(term.node, Collection.of<T>([]));
  const group = world.group;
  const parts = eachNode(kept, (key, item) =>
    world.grouped(
      group,
      () => make(key, new Term<T>(world, { node: mapNode(item, (value) => ok(value)), inputs: term })).node,
    ),
  );
  const trouble = foldNode(parts, foldParts());
  const joined = map2Node(parts, trouble, (collection, worst) => ({ collection, worst }));
  const node = map2Node(
    term.node,
    joined,
    (input, { collection, worst }): Output<Collection<Output<R>>> =>
      input.state === "ok" ? (worst ?? ok(collection)) : input,
    identical,
  );
  return new Term(world, { node, inputs: term });
}

/**
 * The parts of a value as a collection for `each`, by difference: a part that is the same by `same` stays the very same
 * object, and what is made of it is left alone.
 */
export function collect<A, T>(
  term: Term<A>,
  partsOf: (value: A) => ReadonlyMap<string, T>,
  same: (before: T, after: T) => boolean,
): Term<Collection<T>> {
  let parts = Collection.of<T>([]);
  let told: Output<Collection<T>> = ok(parts);
  const isSame = (before: T | undefined, after: T): boolean => before !== undefined && same(before, after);
  const node = mapNode(term.node, (output): Output<Collection<T>> => {
    if (output.state !== "ok") return output;
    const next = partsOf(output.value);
    const gone = [...parts.entries.keys()].filter((name) => !next.has(name));
    const moved = [...next].filter(([name, part]) => !isSame(parts.entries.get(name), part));
    if (gone.length + moved.length > 0) told = ok((parts = parts.change(moved, gone)));
    return told;
  });
  return new Term(term.world, { node, inputs: term });
}

/** As `each` for a value that may be missing: one sub-graph while there is one. */
export function option<T, R>(term: Term<T | undefined>, make: (value: Term<T>) => Term<R>): Term<R | undefined> {
  const { world } = term;
  const asCollection = mapNode(
    term.node,
    (output): Output<Collection<T>> =>
      output.state === "ok" ? ok(Collection.of(output.value === undefined ? [] : [["value", output.value]])) : output,
  );
  const parts = each(new Term(world, { node: asCollection, inputs: term }), (_key, item) => make(item));
  const pick = (output: Output<Collection<Output<R>>>): Output<R | undefined> =>
    output.state === "ok" ? (output.value.entries.get("value") ?? ok(undefined)) : output;
  return new Term(world, { node: mapNode(parts.node, pick, identical), inputs: parts });
}

/** The newest good value; `none` before the first. */
function lastGood<T>(node: Node<Output<T>>, none: T): Node<T> {
  let last = none;
  return mapNode(node, (output) => {
    if (output.state === "ok") last = output.value;
    return last;
  });
}

/** A collection that is set from outside, as a term. */
export function collection<T>(
  world: Term<unknown>["world"],
  initial: Collection<T>,
): {
  readonly term: Term<Collection<T>>;
  readonly variable: Variable<Output<Collection<T>>>;
} {
  const variable = new Variable<Output<Collection<T>>>(world.graph, ok(initial));
  return { term: new Term(world, { node: variable }), variable };
}
