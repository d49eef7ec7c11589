import type { Places, Point } from "./layout.ts";

const PIXELS_PER_INCH = 72;
/** Length of an arrow, and half its width, in pixels. */
const ARROW = 6;
const ARROW_HALF = 3;

/**
 * Reads Graphviz's positions, inches from the bottom left, as pixels from the top left.
 *
 * @source Graphviz output format `plain`: `graph scale width height`, `node name x y width height …` (x and y are the
 *   centre), `edge tail head n x1 y1 … xn yn …` (a start, then three Bézier points a curve).
 */
export function placesFrom(plain: string, edgesInOrder: readonly string[]): Places | undefined {
  const lines = plain.split("\n").map((line) => line.split(" "));
  const [first] = lines;
  if (first?.[0] !== "graph") return undefined;
  const height = pixels(first[3]);
  const boxes: Point[] = [];
  const edges = new Map<string, string[][]>();
  for (const words of lines) {
    if (words[0] === "node") boxes[Number(words[1])] = cornerOf(words, height);
    if (words[0] !== "edge") continue;
    const name = `${words[1]}->${words[2]}`;
    edges.set(name, [...(edges.get(name) ?? []), words]);
  }
  const drawn = edgesInOrder.map((name) => edgeOf(edges.get(name)?.shift() ?? [], height));
  return { width: round(pixels(first[2])), height: round(height), boxes, edges: drawn };
}

function cornerOf([, , x, y, width, height]: readonly string[], total: number): Point {
  return { x: round(pixels(x) - pixels(width) / 2), y: round(total - pixels(y) - pixels(height) / 2) };
}

/** The curve up to the arrow, and the arrow: a small triangle in the direction in which the curve ends. */
function edgeOf(words: readonly string[], total: number): Places["edges"][number] {
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
