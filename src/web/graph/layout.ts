import type { GraphSnapshot } from "../../engine/view.ts";
import type { Result } from "../../term/output.ts";
import { type Group, groupsOf, type Shape } from "./shape.ts";

const MARGIN = 16;
const HEADING = 30;
const GROUP_GAP = 14;
const LIST_GAP = 8;
const CACHE_MAX = 2_000;

/** Sizes and edges of one group, by index; all that a layout depends on. */
export interface Sizes {
  readonly boxes: readonly (readonly [width: number, height: number])[];
  readonly edges: readonly (readonly [from: number, to: number])[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Top left corners, and one line of Bézier points per edge (start, then three a curve), the arrow's tip last. */
export interface Places {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Point[];
  readonly edges: readonly { readonly points: readonly Point[]; readonly tip: Point }[];
}

/** Places the boxes of one group. Fails when it took too long or broke. */
export type Arrange = (sizes: Sizes) => Promise<Result<Places>>;

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly groups: readonly PlacedGroup[];
  /** Some group could not be laid out and is a plain list. */
  readonly plain: boolean;
}

export interface PlacedGroup {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly { readonly shape: Shape; readonly at: Point }[];
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly dashed: boolean;
    readonly points: readonly Point[];
    readonly tip: Point;
  }[];
}

/**
 * Lays a graph out, one layout a group, stacked. Layouts are kept by structure, so a change of states costs nothing
 * and a change in one group costs that group.
 */
export function createLayout(arrange: Arrange): (graph: GraphSnapshot) => Promise<Picture> {
  const kept = new Map<string, Promise<Result<Places>>>();
  const placesOf = (group: Group): Promise<Result<Places>> => {
    const known = kept.get(group.hash);
    if (known !== undefined) return known;
    const places = arrange(sizesOf(group));
    kept.set(group.hash, places);
    const oldest = kept.keys().next();
    if (kept.size > CACHE_MAX && oldest.done !== true) kept.delete(oldest.value);
    return places;
  };
  return async (graph) => {
    const groups = groupsOf(graph);
    return stack(groups, await Promise.all(groups.map(placesOf)));
  };
}

function sizesOf(group: Group): Sizes {
  return {
    boxes: group.shapes.map((shape) => [shape.width, shape.height]),
    edges: group.edges.map((edge) => [edge.from, edge.to]),
  };
}

function stack(groups: readonly Group[], places: readonly Result<Places>[]): Picture {
  const placed: PlacedGroup[] = [];
  let y = 0;
  let widest = 0;
  for (const [index, group] of groups.entries()) {
    const result = places[index];
    const found = result?.ok === true ? result.value : listOf(group);
    const top = y + (group.name === "" ? MARGIN : HEADING + MARGIN / 2);
    const bottom = top + found.height + MARGIN;
    placed.push(placeGroup(group, found, { x: MARGIN, y: top }, y, bottom));
    widest = Math.max(widest, found.width + 2 * MARGIN);
    y = bottom + GROUP_GAP;
  }
  return {
    width: Math.ceil(widest),
    height: Math.ceil(Math.max(0, y - GROUP_GAP)),
    groups: placed.map((group) => ({ ...group, width: Math.ceil(widest) })),
    plain: places.some((result) => !result.ok),
  };
}

function placeGroup(group: Group, places: Places, offset: Point, top: number, bottom: number): PlacedGroup {
  const move = (point: Point): Point => ({ x: point.x + offset.x, y: point.y + offset.y });
  const keyAt = (index: number): string => group.shapes[index]?.node.key ?? "";
  return {
    name: group.name,
    x: 0,
    y: top,
    width: places.width + 2 * MARGIN,
    height: bottom - top,
    shapes: group.shapes.map((shape, index) => ({ shape, at: move(places.boxes[index] ?? { x: 0, y: 0 }) })),
    edges: places.edges.flatMap(({ points, tip }, index) => {
      const edge = group.edges[index];
      if (edge === undefined) return [];
      const { from, to, dashed } = edge;
      return [{ from: keyAt(from), to: keyAt(to), dashed, points: points.map(move), tip: move(tip) }];
    }),
  };
}

/** What is shown when there is no layout: the boxes of a group below each other, without edges. */
function listOf(group: Group): Places {
  let y = 0;
  const boxes = group.shapes.map((shape) => {
    const at = { x: 0, y };
    y += shape.height + LIST_GAP;
    return at;
  });
  return { width: Math.max(0, ...group.shapes.map((shape) => shape.width)), height: y, boxes, edges: [] };
}
