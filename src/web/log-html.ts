import type { LogLine, LogSpan } from "./static/ansi.js";
import { escape, Html } from "./text.ts";

/** Lines of a log as HTML: text that is escaped, and class names that are our own. */
export function logHtml(lines: readonly LogLine[], firstNumber: number, partial: LogLine | undefined): Html {
  const rows = lines.map((line, index) => row(line, firstNumber + index, ""));
  if (partial !== undefined) rows.push(row(partial, firstNumber + lines.length, " partial"));
  return new Html(rows.join(""));
}

function row(line: LogLine, number: number, more: string): string {
  const label = line.ours ? ` title="written by Millrace"` : "";
  return (
    `<div class="line${line.ours ? " ours" : ""}${more}" id="L${number}"${label}>` +
    `<a href="#L${number}" data-number="${number}" aria-label="line ${number}"></a>` +
    `<span class="text">${line.spans.map(span).join("")}</span></div>\n`
  );
}

const span = ({ text, classes }: LogSpan): string =>
  classes === "" ? escape(text) : `<span class="${escape(classes)}">${escape(text)}</span>`;
