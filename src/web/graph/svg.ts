import { turn } from "../../engine/turn.ts";
import type { GraphNode } from "../../engine/view.ts";
import { type Look, markOfNode, symbols } from "../looks.ts";
import { escape, iso } from "../text.ts";
import type { Places, Point } from "./layout.ts";
import type { Shape, Shaped } from "./shape.ts";

/** Around the contents of a group; above them, where it has a heading. */
const MARGIN = 16;
const HEADING = 38;
/** Boxes that are drawn before others have their turn. */
const BOXES_A_TURN = 200;

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

/** A group on its own: what it looks like does not depend on where it stands. */
export interface DrawnGroup {
  readonly width: number;
  readonly height: number;
  /** Everything in its frame, from the frame's top left corner. */
  readonly inside: Uint8Array;
}

export interface Head {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** Addresses of the style sheets: only for a document of its own, a page has them already. */
  readonly styleSheets: readonly string[];
}

export function drawHead({ title, width, height, styleSheets }: Head): string {
  const sheets = styleSheets.map((sheet) => `<?xml-stylesheet type="text/css" href="${escape(sheet)}"?>\n`);
  return (
    `${sheets.join("")}<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="group" aria-roledescription="graph" aria-label="${escape(title)}"` +
    ` width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">\n` +
    `<title>${escape(title)}</title>\n<defs>${symbolDefs()}</defs>\n`
  );
}

function symbolDefs(): string {
  return Object.entries(symbols)
    .map(([look, path]) => `<path id="g-${look}" d="${path}" fill="none" stroke-linecap="round"/>`)
    .join("");
}

/** The same shapes, places and states give the same text. */
export async function drawGroup({ name, shapes, edges }: Shaped, places: Places): Promise<DrawnGroup> {
  const top = name === "" ? MARGIN : HEADING;
  const heading = name === "" ? "" : `<text class="heading" x="16" y="21" font-size="13">${escape(name)}</text>\n`;
  const lines = places.edges.map((place, index) => {
    const { from = 0, to = 0, dashed = false } = edges[index] ?? {};
    return drawEdge(place, shapes[from]?.node.key ?? "", shapes[to]?.node.key ?? "", dashed);
  });
  const boxes: string[] = [];
  for (const [index, shape] of shapes.entries()) {
    if (index % BOXES_A_TURN === BOXES_A_TURN - 1) await turn();
    const at = places.boxes[index] ?? { x: 0, y: 0 };
    boxes.push(shape.chip ? drawChip(shape, at) : drawBox(shape, at));
  }
  const inside = `${heading}<g transform="translate(${MARGIN} ${top})">${lines.join("\n")}\n${boxes.join("\n")}</g>`;
  return { width: places.width + 2 * MARGIN, height: top + places.height + MARGIN, inside: Buffer.from(inside) };
}

/** What stands before and after the inside of a group. */
export function drawFrame(y: number, width: number, height: number): readonly [before: string, after: string] {
  const frame =
    `<rect class="frame" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" fill="none"` +
    ` stroke="#d8dbe0"/>`;
  return [`<g class="group" transform="translate(0 ${y})">${frame}\n`, "</g>\n"];
}

function drawEdge({ line, tip }: Places["edges"][number], from: string, to: string, dashed: boolean): string {
  const keys = `data-from="${escape(from)}" data-to="${escape(to)}"`;
  const dashes = dashed ? ` stroke-dasharray="4 4"` : "";
  return (
    `<g class="edge" ${keys}><path d="${line}" fill="none" stroke="#9aa1ac"${dashes}/>` +
    `<path class="tip" d="${tip}" fill="#9aa1ac"/></g>`
  );
}

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
    `class="${classes}" data-key="${escape(node.key)}" data-label="${exact(node.label)}"` +
    ` aria-label="${escape(name)}" transform="translate(${x} ${y})"`;
  if (node.job === undefined) return `<g ${attributes} tabindex="0" role="group">${inside}</g>`;
  return `<a ${attributes} href="/job/${escape(node.job)}">${inside}</a>`;
}

function drawChip(shape: Shape, { x, y }: Point): string {
  const { node, width, height } = shape;
  const { look, word } = markOfNode(node);
  const name = `input from ${node.group}: ${node.label.replaceAll("\n", " ")}`;
  return (
    `<g class="node chip look-${look}" data-key="${escape(node.key)}" data-label="${exact(node.label)}" tabindex="0"` +
    ` role="group" aria-label="${escape(`${name}: ${word}`)}" transform="translate(${x} ${y})">` +
    `<title>${escape(`${name}: ${word}`)}</title>` +
    `<rect class="box" width="${width}" height="${height}" rx="${height / 2}" fill="#ffffff" stroke="${COLOURS[look]}"/>` +
    `<text class="label" x="12" y="14" font-size="11">${escape(shape.lines.join(" "))}</text></g>`
  );
}

/** As `brush.js` has it: a label as it is, whatever XML or `escape` makes of its line breaks and unseen characters. */
const exact = (label: string): string => escape(encodeURI(label.replace(/\p{Cs}/gu, "\uFFFD")));

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
