import { parentPort } from "node:worker_threads";
import { instance, type Viz } from "@viz-js/viz";
import { placesFrom, simplePlacesFrom } from "./graphviz.ts";
import type { Outline, Places } from "./layout.ts";

/** The thread that `thread.ts` starts: an outline in, places out. */
const graphviz = instance();
parentPort?.on("message", (request: { readonly id: number; readonly outline: Outline }) => {
  void graphviz.then((viz) => answer({ id: request.id, ...arrange(viz, request.outline) }));
});

/** Nothing is moved, all is copied. */
const answer = (message: object): void => parentPort?.postMessage(message, []);

function arrange(viz: Viz, outline: Outline): { readonly places: Places } | { readonly error: string } {
  const edges = outline.match(/\d+->\d+/g) ?? [];
  const unrouted = viz.render(outline.replace("{", "{splines=none;"), { format: "plain", engine: "dot" });
  const simple = unrouted.status === "success" ? simplePlacesFrom(unrouted.output, edges) : undefined;
  if (simple !== undefined) return { places: simple };
  const result = viz.render(outline, { format: "plain", engine: "dot" });
  if (result.status === "failure") return { error: result.errors.map((error) => error.message).join("; ") };
  const places = placesFrom(result.output, edges);
  return places === undefined ? { error: "Graphviz answered in another shape" } : { places };
}
