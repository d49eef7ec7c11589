import type { View } from "../engine/view.ts";
import { logHtml } from "./log-html.ts";
import { type LogLine, LogParser, type LogStyle } from "./static/ansi.js";
import type { Html } from "./text.ts";

/** A page shows the end of a longer log; the raw file has it whole. */
const SHOWN_BYTES_MAX = 1024 * 1024;
const SHOWN_LINES_MAX = 20_000;
const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 10;

export interface LogTail {
  readonly html: Html;
  /** Where the last line begins that has not ended: byte, number, and the colours in force there. */
  readonly next: number;
  readonly nextLine: number;
  readonly style: LogStyle;
  /** Lines before the first one shown. */
  readonly skippedLines: number;
}

/** The log as it is now, or its last megabyte from a line's start, with the numbers that the lines have for ever. */
export async function logTail(view: View, id: string): Promise<LogTail> {
  const size = (await view.log.size(id)) ?? 0;
  const skipped = await skip(view, id, Math.max(0, size - SHOWN_BYTES_MAX));
  const parser = new LogParser();
  let lines: LogLine[] = [];
  let skippedLines = skipped.lines;
  let at = skipped.bytes;
  let lineStart = at;
  while (at < size) {
    const chunk = await view.log.read(id, at, Math.min(CHUNK_BYTES, size - at));
    if (chunk.length === 0) break;
    const lastFeed = chunk.lastIndexOf(LINE_FEED);
    if (lastFeed >= 0) lineStart = at + lastFeed + 1;
    at += chunk.length;
    lines = lines.concat(parser.push(Buffer.from(chunk).toString("utf8")));
    skippedLines += Math.max(0, lines.length - SHOWN_LINES_MAX);
    lines = lines.slice(-SHOWN_LINES_MAX);
  }
  return {
    html: logHtml(lines, skippedLines + 1, parser.pending()),
    next: lineStart,
    nextLine: skippedLines + lines.length + 1,
    style: parser.style(),
    skippedLines,
  };
}

/** Counts the lines before `target`; the rest begins after the first line feed at or behind it. */
async function skip(view: View, id: string, target: number): Promise<{ bytes: number; lines: number }> {
  let at = 0;
  let lines = 0;
  while (at < target) {
    const chunk = await view.log.read(id, at, CHUNK_BYTES);
    if (chunk.length === 0) break;
    for (let feed = chunk.indexOf(LINE_FEED); feed >= 0; feed = chunk.indexOf(LINE_FEED, feed + 1)) {
      lines += 1;
      if (at + feed + 1 >= target) return { bytes: at + feed + 1, lines };
    }
    at += chunk.length;
  }
  return { bytes: 0, lines: 0 };
}
