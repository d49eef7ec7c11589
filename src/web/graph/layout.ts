import { createHash } from "node:crypto";
import type { Clock } from "../../engine/clock.ts";
import type { Result } from "../../term/output.ts";
import { PIXELS_PER_INCH } from "./graphviz.ts";
import type { Shaped } from "./shape.ts";

const LIST_GAP = 8;
const CACHE_MAX = 2_000;
/** A graph that is too dense would take the thread for its whole deadline at each look; a machine recovers. */
const FAILED_FOR_MS = 60_000;
/** The limits bound the search for dense graphs to a third of the time, at the price of some crossings. */
const SETTINGS =
  "graph[rankdir=LR,nodesep=0.2,ranksep=0.3,nslimit=2,nslimit1=2,mclimit=0.3,pad=0];" +
  'node[shape=box,fixedsize=true,label=""];edge[dir=none];';

/** All that the layout of a group depends on, in Graphviz's language: numbers only, never a label or a state. */
export type Outline = string;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where things are within their group: top left corners of the boxes, and the edges as paths of SVG. */
export interface Places {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Point[];
  readonly edges: readonly { readonly line: string; readonly tip: string }[];
}

/** Places the boxes of one group. Fails when it took too long or broke. */
export type Arrange = (outline: Outline) => Promise<Result<Places>>;

/** Sizes and edges, by index. */
export interface Sizes {
  readonly boxes: readonly { readonly width: number; readonly height: number }[];
  readonly edges: readonly { readonly from: number; readonly to: number }[];
}

export function outlineOf({ boxes, edges }: Sizes): Outline {
  const inch = (pixels: number): number => pixels / PIXELS_PER_INCH;
  const sizes = boxes.map(({ width, height }, index) => `${index}[width=${inch(width)},height=${inch(height)}]`);
  return `digraph{${SETTINGS}${sizes.join(";")};${edges.map(({ from, to }) => `${from}->${to}`).join(";")}}`;
}

interface Kept {
  readonly places: Promise<Result<Places>>;
  failedMs?: number;
}

/**
 * Lays groups out. Layouts are kept by outline, so that a change of states costs nothing, and groups of the same shape
 * have one layout. One that failed is tried again a minute later.
 */
export function createLayout(arrange: Arrange, clock: Clock): (group: Shaped) => Promise<Result<Places>> {
  const kept = new Map<string, Kept>();
  const good = ({ failedMs }: Kept): boolean => failedMs === undefined || clock.elapsed() - failedMs < FAILED_FOR_MS;
  return ({ shapes, edges }) => {
    const outline = outlineOf({ boxes: shapes, edges });
    const hash = createHash("sha256").update(outline).digest("base64");
    const known = kept.get(hash);
    if (known !== undefined && good(known)) return known.places;
    const made: Kept = { places: arrange(outline) };
    kept.set(hash, made);
    void made.places.then(({ ok }) => {
      if (!ok) made.failedMs = clock.elapsed();
    });
    const oldest = kept.keys().next();
    if (kept.size > CACHE_MAX && oldest.done !== true) kept.delete(oldest.value);
    return made.places;
  };
}

/** What is shown when there is no layout: the boxes of a group below each other, without edges. */
export function listOf({ shapes }: Shaped): Places {
  let y = 0;
  const boxes = shapes.map((shape) => {
    const at = { x: 0, y };
    y += shape.height + LIST_GAP;
    return at;
  });
  return { width: Math.max(0, ...shapes.map((shape) => shape.width)), height: y, boxes, edges: [] };
}
