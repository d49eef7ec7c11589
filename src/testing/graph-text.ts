import type { Engine } from "../engine/engine.ts";
import { graphOf } from "../engine/graph-view.ts";
import type { GraphNode } from "../engine/view.ts";

/**
 * The drawn graph as text that stays the same when it is the same: a line a box, by key, with its state and what it
 * reads (in brackets what it only waits for). For golden files.
 */
export function graphText(engine: Engine): string {
  const { nodes, edges } = graphOf(engine);
  const lines = nodes
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map((node) => {
      const from = edges.filter(({ to }) => to === node.key).map(({ from, dashed }) => (dashed ? `(${from})` : from));
      const reads = from.length === 0 ? "" : ` ← ${from.toSorted().join(", ")}`;
      return `${node.key}  ${stateOf(node)}${reads}`;
    });
  return `${lines.join("\n")}\n`;
}

function stateOf(node: GraphNode): string {
  const updating = node.updating === undefined ? "" : `, ${node.updating} anew`;
  const stale = node.staleSinceMs === undefined ? "" : ", stale";
  const why = node.failure === undefined ? "" : ` (${node.failure.code}: ${node.failure.message})`;
  return `${node.state}${updating}${stale}${why}`;
}
