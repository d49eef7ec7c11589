import type { Places, Point, Sizes } from "./layout.ts";

/**
 * Reads Graphviz's positions: points (a pixel each) from the bottom left become pixels from the top left.
 *
 * @source Graphviz output format `json0`: `bb`, `objects[].pos` (centre), `edges[].pos` (`e,tip` then spline points).
 */
export function placesFrom(json: string, sizes: Sizes): Places | undefined {
  const answer: unknown = JSON.parse(json);
  if (!isRecord(answer) || typeof answer["bb"] !== "string") return undefined;
  const [, , width = 0, height = 0] = answer["bb"].split(",").map(Number);
  const flip = (point: Point): Point => ({ x: round(point.x), y: round(height - point.y) });
  const objects = Array.isArray(answer["objects"]) ? answer["objects"] : [];
  const boxes = sizes.boxes.map(([boxWidth, boxHeight], index) => {
    const centre = flip(pointsIn(textOf(objects[index], "pos"))[0] ?? { x: 0, y: 0 });
    return { x: round(centre.x - boxWidth / 2), y: round(centre.y - boxHeight / 2) };
  });
  const edges = Array.isArray(answer["edges"]) ? answer["edges"] : [];
  return {
    width,
    height,
    boxes,
    edges: sizes.edges.map((_, index) => {
      const text = textOf(edges[index], "pos");
      const points = pointsIn(text.replace(/[es],\S+\s*/g, "")).map(flip);
      const tip = pointsIn(/e,(\S+)/.exec(text)?.[1] ?? "").map(flip)[0];
      return { points, tip: tip ?? points.at(-1) ?? { x: 0, y: 0 } };
    }),
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function textOf(value: unknown, name: string): string {
  const text = isRecord(value) ? value[name] : undefined;
  return typeof text === "string" ? text : "";
}

function pointsIn(text: string): readonly Point[] {
  return text
    .split(/\s+/)
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [x = 0, y = 0] = pair.split(",").map(Number);
      return { x, y };
    });
}

const round = (value: number): number => Math.round(value * 10) / 10;
