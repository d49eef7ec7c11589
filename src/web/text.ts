/** Characters that are not seen, or that reorder what is seen, outside of line feeds and tabs. */
const UNSEEN =
  /[\p{Cc}\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\uFFFE\uFFFF\p{Cs}\u{E0000}-\u{E007F}]/gu;

/** `text` with marks in place of characters that could hide or reorder the rest (also valid in XML then). */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    if (character === "\n" || character === "\t") return character;
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Most texts: letters, digits and signs that mean nothing anywhere. */
const PLAIN = /^[ !#-%(-;=?-~]*$/;

/** `text` for an element or a quoted attribute of HTML or SVG. */
export function escape(text: string): string {
  if (PLAIN.test(text)) return text;
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Markup that our own renderers made and escaped. Templates show it as it is; everything else they escape. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** ISO 8601 in UTC with milliseconds. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** `0.4 s`, `12 s`, `2 m 10`, `3 h 05`, `2 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${two(Math.floor(seconds) % 60)}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${two(minutes % 60)}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** `just now`, `4 m ago`, `2 d ago`. */
export function ago(ms: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - ms) / 1000);
  if (seconds < 0) return `in ${duration(ms - nowMs)}`;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** Digests cut to twelve digits, as Docker shows them: enough to tell them apart. */
export const brief = (text: string): string => text.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "$1");

/** `3 jobs`, `1 job`. */
export const count = (value: number, word: string): string => `${value} ${word}${value === 1 ? "" : "s"}`;
