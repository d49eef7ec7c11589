import type { Clock } from "../../engine/clock.ts";
import type { View } from "../../engine/view.ts";
import type { Html } from "../text.ts";
import { createLayout } from "./layout.ts";
import { drawGraph } from "./svg.ts";
import { startLayoutThread } from "./thread.ts";

/** A page is sent without its graph when the layout takes longer; the script fetches it then. */
const PATIENCE_MS = 1_500;

/** The drawn graph, made once a step however many read it. */
export interface Drawings {
  /** For a page; undefined when the layout is not ready soon. */
  soon(): Promise<Html | undefined>;
  /** For `/pipeline.svg`. */
  whole(styleSheets: readonly string[]): Promise<Html>;
  /** Starts the layout thread, so that the first page need not wait for it. */
  warm(): void;
  close(): Promise<void>;
}

export function createDrawings(view: View, clock: Clock): Drawings {
  const thread = startLayoutThread(clock);
  const layout = createLayout(thread.arrange);
  const title = `Pipeline of ${view.flavour}`;
  let kept: { readonly step: number; readonly html: Promise<Html> } | undefined;
  const current = (): Promise<Html> => {
    const graph = view.graph();
    if (kept?.step !== graph.step) {
      kept = {
        step: graph.step,
        html: layout(graph).then((picture) => drawGraph(picture, { title, styleSheets: [] })),
      };
    }
    return kept.html;
  };
  return {
    soon: () => {
      const patience = new AbortController();
      return Promise.race([current(), clock.sleep(PATIENCE_MS, patience.signal).then(() => undefined)]).finally(() =>
        patience.abort(),
      );
    },
    whole: async (styleSheets) => drawGraph(await layout(view.graph()), { title, styleSheets }),
    warm: () => void thread.arrange({ boxes: [], edges: [] }),
    close: () => thread.close(),
  };
}
