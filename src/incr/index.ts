/** Glitch-free change propagation. Read `node.ts`, then `incremental.ts`; the rest are kinds of node. */
export { bindNode } from "./bind.ts";
export { Collection } from "./collection.ts";
export { eachNode, type Fold, foldNode } from "./each.ts";
export { sizeOf, withOne, withoutOne } from "./few.ts";
export { Incremental } from "./incremental.ts";
export { JoinNode, type Summary } from "./join.ts";
export { type Change, Derived, type Incr, Node, type Watcher } from "./node.ts";
export { type Equal, map2Node, mapNode, Variable } from "./nodes.ts";
export type { Scope } from "./scope.ts";
