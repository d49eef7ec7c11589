import type { GraphNode } from "../../engine/view.ts";
import { type Look, markOfNode, symbols } from "../looks.ts";
import { escape, Html, iso } from "../text.ts";
import type { Picture, PlacedGroup, Point } from "./layout.ts";
import type { Shape } from "./shape.ts";

/** Colours for viewers without our style sheet (an image in a document); `graph.css` overrides them. */
const COLOURS: Readonly<Record<Look, string>> = {
  ok: "#2e7d4f",
  ready: "#6b7a8f",
  waiting: "#2f6fbf",
  running: "#a87400",
  failed: "#c2352b",
  trouble: "#c05a12",
  blocked: "#8a8f98",
  cancelled: "#8a8f98",
  interrupted: "#8a8f98",
};
const FONT = "system-ui, sans-serif";

export interface DrawOptions {
  readonly title: string;
  /** Addresses of the style sheets: only for a document of its own, a page has them already. */
  readonly styleSheets: readonly string[];
}

/** Draws a laid-out graph. Pure: the same picture and states give the same text. */
export function drawGraph(picture: Picture, options: DrawOptions): Html {
  const { width, height } = picture;
  const sheets = options.styleSheets.map((sheet) => `<?xml-stylesheet type="text/css" href="${escape(sheet)}"?>\n`);
  return new Html(
    `${sheets.join("")}<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="group" aria-roledescription="graph" aria-label="${escape(options.title)}"` +
      ` width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">\n` +
      `<title>${escape(options.title)}</title>\n<defs>${symbolDefs()}</defs>\n` +
      `${picture.groups.map(drawGroup).join("\n")}\n</svg>`,
  );
}

function symbolDefs(): string {
  return Object.entries(symbols)
    .map(([look, path]) => `<path id="g-${look}" d="${path}" fill="none" stroke-linecap="round"/>`)
    .join("");
}

function drawGroup(group: PlacedGroup): string {
  const heading =
    group.name === ""
      ? ""
      : `<text class="heading" x="${group.x + 16}" y="${group.y + 21}" font-size="13">${escape(group.name)}</text>\n`;
  return (
    `<g class="group"><rect class="frame" x="${group.x + 0.5}" y="${group.y + 0.5}" width="${group.width - 1}"` +
    ` height="${group.height - 1}" rx="10" fill="none" stroke="#d8dbe0"/>\n${heading}` +
    `${group.edges.map(drawEdge).join("\n")}\n` +
    `${group.shapes.map(({ shape, at }) => (shape.chip ? drawChip(shape, at) : drawBox(shape, at))).join("\n")}</g>`
  );
}

function drawEdge(edge: PlacedGroup["edges"][number]): string {
  const [start, ...curve] = edge.points;
  if (start === undefined) return "";
  const path = `M${at(start)}${curve.length === 0 ? "" : `C${curve.map(at).join(" ")}`}`;
  const keys = `data-from="${escape(edge.from)}" data-to="${escape(edge.to)}"`;
  const dashes = edge.dashed ? ` stroke-dasharray="4 4"` : "";
  return (
    `<g class="edge" ${keys}><path d="${path}" fill="none" stroke="#9aa1ac"${dashes}/>` +
    `<path class="tip" d="${arrow(edge.points.at(-1) ?? start, edge.tip)}" fill="#9aa1ac"/></g>`
  );
}

const at = (point: Point): string => `${point.x},${point.y}`;

/** A small triangle from the end of the curve to the tip. */
function arrow(end: Point, tip: Point): string {
  const [dx, dy] = [tip.x - end.x, tip.y - end.y];
  const length = Math.hypot(dx, dy) || 1;
  const [x, y] = [(-dy / length) * 3, (dx / length) * 3];
  const corner = (side: number): string => `${fixed(end.x + side * x)},${fixed(end.y + side * y)}`;
  return `M${at(tip)}L${corner(1)} ${corner(-1)}Z`;
}

const fixed = (value: number): number => Math.round(value * 10) / 10;

function drawBox(shape: Shape, { x, y }: Point): string {
  const { node, width, height } = shape;
  const { look, word } = markOfNode(node);
  const colour = COLOURS[look];
  const lines = shape.lines.map(
    (line, index) => `<text class="label" x="10" y="${38 + index * 17}" font-size="12.5">${escape(line)}</text>`,
  );
  const box =
    `<path class="box" d="${outline(node.kind, width, height)}" fill="#ffffff" stroke="${colour}"/>` +
    `<use class="symbol" href="#g-${look}" x="8" y="7" width="16" height="16" stroke="${colour}" stroke-width="2"/>` +
    `<text class="kind" x="28" y="19" font-size="11" fill="#6b7280">${escape(node.kind)}</text>` +
    `<text class="word" x="${width - 10}" y="19" font-size="11" text-anchor="end" fill="${colour}">${escape(word)}</text>` +
    lines.join("");
  const classes = ["node", `look-${look}`, node.updating === undefined ? "" : "updating"].filter(Boolean).join(" ");
  const name = `${node.kind} ${node.label.replaceAll("\n", " ")}: ${word}. ${node.detail}`;
  const inside =
    `<title>${escape(tooltip(node, word))}</title>${box}` +
    (node.staleSinceMs === undefined ? "" : `<circle class="stale" cx="${width - 3}" cy="3" r="5" fill="#c05a12"/>`);
  const attributes =
    `class="${classes}" data-key="${escape(node.key)}" data-label="${escape(node.label)}"` +
    ` aria-label="${escape(name)}" transform="translate(${x} ${y})"`;
  if (node.job === undefined) return `<g ${attributes} tabindex="0" role="group">${inside}</g>`;
  return `<a ${attributes} href="/job/${escape(node.job)}">${inside}</a>`;
}

function drawChip(shape: Shape, { x, y }: Point): string {
  const { node, width, height } = shape;
  const { look, word } = markOfNode(node);
  const name = `input from ${node.group}: ${node.label.replaceAll("\n", " ")}`;
  return (
    `<g class="node chip look-${look}" data-key="${escape(node.key)}" data-label="${escape(node.label)}" tabindex="0"` +
    ` role="group" aria-label="${escape(`${name}: ${word}`)}" transform="translate(${x} ${y})">` +
    `<title>${escape(`${name}: ${word}`)}</title>` +
    `<rect class="box" width="${width}" height="${height}" rx="${height / 2}" fill="#ffffff" stroke="${COLOURS[look]}"/>` +
    `<text class="label" x="12" y="14" font-size="11">${escape(shape.lines.join(" "))}</text></g>`
  );
}

/** The shape tells the kind: inputs are round, what moves the world has a point, tags a notch. */
function outline(kind: string, width: number, height: number): string {
  if (kind === "head" || kind === "value") return rounded(width, height, Math.min(height / 2, 22));
  if (kind === "deploy") {
    const middle = height / 2;
    return `M6,0H${width - 9}L${width},${middle}L${width - 9},${height}H6Q0,${height} 0,${height - 6}V6Q0,0 6,0Z`;
  }
  if (kind === "tag" || kind === "push") {
    return `M0,0H${width - 12}L${width},12V${height - 6}Q${width},${height} ${width - 6},${height}H6Q0,${height} 0,${height - 6}V6Q0,0 6,0Z`;
  }
  return rounded(width, height, 6);
}

function rounded(width: number, height: number, radius: number): string {
  const r = radius;
  return (
    `M${r},0H${width - r}Q${width},0 ${width},${r}V${height - r}Q${width},${height} ${width - r},${height}` +
    `H${r}Q0,${height} 0,${height - r}V${r}Q0,0 ${r},0Z`
  );
}

/** Lines of the tooltip; also what a reader without JavaScript learns about a box. */
function tooltip(node: GraphNode, word: string): string {
  const lines = [`${node.label.replaceAll("\n", " ")}: ${word}`, node.detail];
  if (node.failure !== undefined) lines.push(node.failure.message, node.failure.hint ?? "");
  if (node.staleSinceMs !== undefined) lines.push(`stale since ${iso(node.staleSinceMs)}`);
  if (node.at !== undefined) lines.push(node.at);
  return lines.filter((line, index) => line !== "" && lines.indexOf(line) === index).join("\n");
}
