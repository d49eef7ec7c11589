import type { Places, Point } from "./layout.ts";

/** Graphviz counts in inches of so many pixels. */
export const PIXELS_PER_INCH = 72;
/** Length of an arrow, and half its width, in pixels. */
const ARROW = 6;
const ARROW_HALF = 3;

/** Boxes are in neighbouring columns when they are closer than this: no third one fits between them. */
const NEIGHBOURS = 60;

interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

/**
 * Reads Graphviz's positions, inches from the bottom left, as pixels from the top left.
 *
 * @param edgesInOrder `from->to`, by index.
 * @source Graphviz output format `plain`: `graph scale width height`, `node name x y width height …` (x and y are the
 *   centre), `edge tail head n x1 y1 … xn yn …` (a start, then three Bézier points a curve).
 */
export function placesFrom(plain: string, edgesInOrder: readonly string[]): Places | undefined {
  const lines = plain.split("\n").map((line) => line.split(" "));
  const [first] = lines;
  if (first?.[0] !== "graph") return undefined;
  const height = pixels(first[3]);
  const edges = new Map<string, string[][]>();
  for (const words of lines) {
    if (words[0] !== "edge") continue;
    const name = `${words[1]}->${words[2]}`;
    edges.set(name, [...(edges.get(name) ?? []), words]);
  }
  return {
    width: round(pixels(first[2])),
    height: round(height),
    boxes: boxesIn(lines, height),
    edges: edgesInOrder.map((name) => routed(edges.get(name)?.shift() ?? [], height)),
  };
}

/**
 * The same where every edge leads to the next column: then it is a simple curve from side to side, and Graphviz need not
 * look for ways around boxes, which is half of its work. Undefined when some edge leads further.
 */
export function simplePlacesFrom(plain: string, edgesInOrder: readonly string[]): Places | undefined {
  const lines = plain.split("\n").map((line) => line.split(" "));
  const [first] = lines;
  if (first?.[0] !== "graph") return undefined;
  const height = pixels(first[3]);
  const boxes = boxesIn(lines, height);
  const edges: Places["edges"][number][] = [];
  for (const name of edgesInOrder) {
    const [from, to] = name.split("->").map((index) => boxes[Number(index)]);
    if (from === undefined || to === undefined) return undefined;
    const gap = to.x - from.x - from.width;
    if (gap < ARROW || gap > NEIGHBOURS) return undefined;
    edges.push(simple(from, to));
  }
  return { width: round(pixels(first[2])), height: round(height), boxes, edges };
}

function boxesIn(lines: readonly (readonly string[])[], total: number): readonly Box[] {
  const boxes: Box[] = [];
  for (const [kind, index, x, y, w, h] of lines) {
    if (kind !== "node") continue;
    const [width, height] = [pixels(w), pixels(h)];
    boxes[Number(index)] = { x: round(pixels(x) - width / 2), y: round(total - pixels(y) - height / 2), width, height };
  }
  return boxes;
}

/** From the middle of the right side to the middle of the left side. */
function simple(from: Box, to: Box): Places["edges"][number] {
  const start = { x: from.x + from.width, y: from.y + from.height / 2 };
  const tip = { x: to.x, y: to.y + to.height / 2 };
  const end = { x: tip.x - ARROW, y: tip.y };
  const middle = (start.x + end.x) / 2;
  return {
    line: `M${at(start)}C${at({ x: middle, y: start.y })} ${at({ x: middle, y: end.y })} ${at(end)}`,
    tip: `M${at(tip)}L${at({ x: end.x, y: end.y + ARROW_HALF })} ${at({ x: end.x, y: end.y - ARROW_HALF })}Z`,
  };
}

/** The curve up to the arrow, and the arrow: a small triangle in the direction in which the curve ends. */
function routed(words: readonly string[], total: number): Places["edges"][number] {
  const points: Point[] = [];
  for (let at = 0; at < Number(words[3] ?? 0); at++) {
    points.push({ x: pixels(words[4 + 2 * at]), y: total - pixels(words[5 + 2 * at]) });
  }
  const [start, tip, control] = [points[0], points.at(-1), points.at(-2)];
  if (start === undefined || tip === undefined || control === undefined) return { line: "", tip: "" };
  const length = Math.hypot(tip.x - control.x, tip.y - control.y);
  const [dx, dy] = length === 0 ? [1, 0] : [(tip.x - control.x) / length, (tip.y - control.y) / length];
  const back = ({ x, y }: Point): Point => ({ x: x - dx * ARROW, y: y - dy * ARROW });
  const end = back(tip);
  const curve = [...points.slice(1, -2), back(control), end];
  const corner = (side: number): Point => ({ x: end.x - side * dy * ARROW_HALF, y: end.y + side * dx * ARROW_HALF });
  return {
    line: `M${at(start)}C${curve.map(at).join(" ")}`,
    tip: `M${at(tip)}L${at(corner(1))} ${at(corner(-1))}Z`,
  };
}

const at = ({ x, y }: Point): string => `${round(x)},${round(y)}`;
const pixels = (inches: string | undefined): number => Number(inches ?? 0) * PIXELS_PER_INCH;
const round = (value: number): number => Math.round(value * 10) / 10;
