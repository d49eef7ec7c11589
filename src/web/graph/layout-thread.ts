import { parentPort } from "node:worker_threads";
import { instance, type Viz } from "@viz-js/viz";
import { placesFrom } from "./graphviz.ts";
import type { Sizes } from "./layout.ts";

const PIXELS_PER_INCH = 72;

/** The thread that `thread.ts` starts: sizes in, places out. Graphviz sees numbers only, never a label. */
const graphviz = instance();
parentPort?.on("message", (request: { readonly id: number; readonly sizes: Sizes }) => {
  void graphviz.then((viz) => answer({ id: request.id, ...arrange(viz, request.sizes) }));
});

/** Nothing is moved, all is copied. */
const answer = (message: object): void => parentPort?.postMessage(message, []);

function arrange(viz: Viz, sizes: Sizes): { readonly places: unknown } | { readonly error: string } {
  const result = viz.render(
    {
      directed: true,
      // The limits bound the search for dense graphs to a third of the time, at the price of some crossings.
      graphAttributes: { rankdir: "LR", nodesep: 0.2, ranksep: 0.3, nslimit: 2, nslimit1: 2, mclimit: 0.3, pad: 0 },
      nodeAttributes: { shape: "box", fixedsize: true, label: "" },
      edgeAttributes: { arrowsize: 0.6 },
      nodes: sizes.boxes.map(([width, height], index) => ({
        name: `n${index}`,
        attributes: { width: width / PIXELS_PER_INCH, height: height / PIXELS_PER_INCH },
      })),
      edges: sizes.edges.map(([from, to]) => ({ tail: `n${from}`, head: `n${to}` })),
    },
    { format: "json0", engine: "dot" },
  );
  if (result.status === "failure") return { error: result.errors.map((error) => error.message).join("; ") };
  const places = placesFrom(result.output, sizes);
  return places === undefined ? { error: "Graphviz answered in another shape" } : { places };
}
