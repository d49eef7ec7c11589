import { escape, Html } from "./text.ts";

/** What stands for a character that is not seen, or that reorders others: see `visible`. */
const MARK = /⟨U\+[0-9A-F]{4,6}⟩|[\u2400-\u241F]/g;

const CLASSES: Readonly<Record<string, string>> = { "+": "come", "-": "gone", "@": "place", "\\": "place" };

/** A patch, a row a line. The sign at its beginning stays: colour alone tells nobody. */
export function diffHtml(patch: string): Html {
  const lines = patch.replace(/\n$/, "").split("\n");
  return new Html(lines.map(row).join(""));
}

function row(line: string): string {
  const text = escape(line).replace(MARK, (mark) => `<span class="ctl">${mark}</span>`);
  return `<div class="${CLASSES[line.charAt(0)] ?? "same"}">${text === "" ? " " : text}</div>\n`;
}
