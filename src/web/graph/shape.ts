import type { GraphGroup, GraphNode } from "../../engine/view.ts";
import { visible } from "../text.ts";

/** Sizes in pixels; widths are fixed, since the fonts of the reader are not known here. Seven boxes in a row fit a page. */
const BOX_WIDTH = 150;
const BOX_HEAD = 25;
const LINE_HEIGHT = 17;
const BOX_FOOT = 9;
const CHIP_WIDTH = 150;
const CHIP_HEIGHT = 20;
const LINE_CHARS = 18;
const LINES_MAX = 3;
const CHIP_CHARS = 17;

/** What is placed: a node of the graph, or a chip that stands for a node of another group. */
export interface Shape {
  readonly node: GraphNode;
  readonly chip: boolean;
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
}

/** The boxes and chips of one group with their sizes, and its edges as indices into them. */
export interface Shaped {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly edges: readonly { readonly from: number; readonly to: number; readonly dashed: boolean }[];
}

/** Gives everything in a group its size. */
export function shapedOf({ name, boxes, chips, edges }: GraphGroup): Shaped {
  const shapes = [...boxes.map(boxOf), ...chips.map(chipOf)];
  const at = new Map(shapes.map(({ node }, index) => [node.key, index]));
  const indexOf = (key: string): number => at.get(key) ?? 0;
  return {
    name,
    shapes,
    edges: edges.map(({ from, to, dashed = false }) => ({ from: indexOf(from), to: indexOf(to), dashed })),
  };
}

function boxOf(node: GraphNode): Shape {
  const lines = wrap(node.label === "" ? node.key : node.label, LINE_CHARS, LINES_MAX);
  return { node, chip: false, lines, width: BOX_WIDTH, height: BOX_HEAD + lines.length * LINE_HEIGHT + BOX_FOOT };
}

function chipOf(node: GraphNode): Shape {
  const label = node.label.replaceAll("\n", " ");
  const text = node.group === "" ? label : `${node.group} · ${label}`;
  return { node, chip: true, lines: wrap(text, CHIP_CHARS, 1), width: CHIP_WIDTH, height: CHIP_HEIGHT };
}

/** Text in at most `linesMax` lines of `chars` characters, broken at gaps where there are any. */
export function wrap(text: string, chars: number, linesMax: number): readonly string[] {
  const lines: string[] = [];
  for (const part of visible(text).split("\n")) {
    let rest = Array.from(part.trim());
    while (rest.length > chars && lines.length <= linesMax) {
      const cut = gap(rest, chars);
      lines.push(rest.slice(0, cut).join("").trimEnd());
      rest = Array.from(rest.slice(cut).join("").trimStart());
    }
    if (rest.length > 0) lines.push(rest.join(""));
    if (lines.length > linesMax) break;
  }
  if (lines.length <= linesMax) return lines.length === 0 ? [" "] : lines;
  const kept = lines.slice(0, linesMax);
  const last = Array.from(kept.at(-1) ?? "")
    .slice(0, chars - 1)
    .join("");
  return [...kept.slice(0, -1), `${last}…`];
}

/** Where to break: after the last gap in the second half of the line, or at its end. */
function gap(characters: readonly string[], chars: number): number {
  for (let at = chars; at > chars / 2; at--) {
    if (characters[at] === " " || /[\s/:_.@·-]/.test(characters[at - 1] ?? "")) return at;
  }
  return chars;
}
