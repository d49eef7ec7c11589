import type { Clock } from "../../engine/clock.ts";
import { turn } from "../../engine/turn.ts";
import type { GraphGroup, View } from "../../engine/view.ts";
import { folded } from "./fold.ts";
import { createLayout, listOf } from "./layout.ts";
import { shapedOf } from "./shape.ts";
import { type DrawnGroup, drawFrame, drawGroup, drawHead } from "./svg.ts";
import { type LayoutThread, startLayoutThread } from "./thread.ts";

/** A page is sent without its graph when the layout takes longer; the script fetches it then. */
const PATIENCE_MS = 1_500;
const GROUP_GAP = 14;

/** SVG in pieces, one after the other: large ones are kept and sent as they are, never joined. */
export type Picture = readonly Uint8Array[];

/** The drawn graph. Each group is drawn once, and again when one of its boxes or edges is another. */
export interface Drawings {
  /** For a page; undefined when the layout is not ready soon. */
  soon(): Promise<Picture | undefined>;
  /** For `/pipeline.svg`. */
  whole(styleSheets: readonly string[]): Promise<Picture>;
  /** Starts the layout thread, so that the first page need not wait for it. */
  warm(): void;
  close(): Promise<void>;
}

export function createDrawings(view: View, clock: Clock, thread: LayoutThread = startLayoutThread(clock)): Drawings {
  const drawnOf = createPencil(thread, clock);
  const title = `Pipeline of ${view.flavour}`;
  const draw = async (styleSheets: readonly string[]): Promise<Picture> => {
    const drawing: Promise<DrawnGroup>[] = [];
    await view.graphSoon();
    const groups = view.groups(); // all of one step
    await turn();
    for (const group of groups) {
      const { fresh, drawn } = drawnOf(group);
      drawing.push(drawn);
      if (fresh) await turn();
    }
    return stack(await Promise.all(drawing), { title, styleSheets });
  };
  return {
    soon: () => {
      const patience = new AbortController();
      return Promise.race([draw([]), clock.sleep(PATIENCE_MS, patience.signal).then(() => undefined)]).finally(() =>
        patience.abort(),
      );
    },
    whole: draw,
    warm: () => void thread.arrange("digraph{}"),
    close: () => thread.close(),
  };
}

/** Draws a group, unless it has been drawn. A list in place of a layout is not kept: the layout is asked for again. */
function createPencil(thread: LayoutThread, clock: Clock) {
  const layout = createLayout(thread.arrange, clock);
  const kept = new WeakMap<GraphGroup, Promise<DrawnGroup>>();
  const draw = async (group: GraphGroup): Promise<DrawnGroup> => {
    const shaped = shapedOf(folded(group));
    const places = await layout(shaped);
    if (!places.ok) kept.delete(group);
    return drawGroup(shaped, places.ok ? places.value : listOf(shaped));
  };
  return (group: GraphGroup): { readonly fresh: boolean; readonly drawn: Promise<DrawnGroup> } => {
    const known = kept.get(group);
    if (known !== undefined) return { fresh: false, drawn: known };
    const drawn = draw(group);
    kept.set(group, drawn);
    return { fresh: true, drawn };
  };
}

/** The groups below each other, all as wide as the widest. */
function stack(
  groups: readonly DrawnGroup[],
  options: { readonly title: string; readonly styleSheets: readonly string[] },
): Picture {
  const width = Math.ceil(Math.max(0, ...groups.map((group) => group.width)));
  const pieces: Uint8Array[] = [];
  let y = 0;
  for (const { height, inside } of groups) {
    const [before, after] = drawFrame(y, width, height);
    pieces.push(Buffer.from(before), inside, Buffer.from(after));
    y += height + GROUP_GAP;
  }
  const head = drawHead({ ...options, width, height: Math.ceil(Math.max(0, y - GROUP_GAP)) });
  return [Buffer.from(head), ...pieces, Buffer.from("</svg>")];
}
