/**
 * Turns the text of a job's log into lines of spans: the one renderer of the server's pages and of the browser.
 *
 * Only colours and weights (SGR) survive. Every other escape sequence is dropped, and characters that could hide or
 * reorder text (controls, bidirectional overrides, zero width) become visible marks. Spans are plain text: whoever
 * shows them escapes them or makes text nodes. Lines end at line feeds and nowhere else, so that a line number means
 * the same byte for ever.
 */

/** First character of a line that Millrace wrote itself; the job log never lets output begin with it. */
const OURS = "\u001E";
/** Longer lines are cut, and say so. */
const LINE_CHARS_MAX = 65_536;
/** Further parameters of one escape sequence are ignored. */
const CODES_MAX = 32;
/** Further changes of colour in one line are ignored. */
const SPANS_MAX = 1_000;

/** A complete escape sequence (CSI, a string such as a title or a link, or two characters), or one odd character. */
const ODD = new RegExp(
  [
    String.raw`\u001B\[([0-?]*)[ -/]*([@-~])`,
    String.raw`\u001B[\]PX^_][^\u0007\u001B]*(?:\u0007|\u001B\\)`,
    String.raw`\u001B[ -/]*[0-OQ-WYZ\\\x60-~]`,
    String.raw`[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F]`,
    String.raw`[\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]`,
  ].join("|"),
  "gu",
);

/** The sixteen colours, as the usual terminal shows them: 256-colour and RGB values go to the nearest. */
const PALETTE = [
  [0, 0, 0],
  [187, 0, 0],
  [0, 187, 0],
  [187, 187, 0],
  [0, 0, 187],
  [187, 0, 187],
  [0, 187, 187],
  [187, 187, 187],
  [85, 85, 85],
  [255, 85, 85],
  [85, 255, 85],
  [255, 255, 85],
  [85, 85, 255],
  [255, 85, 255],
  [85, 255, 255],
  [255, 255, 255],
];

const FLAGS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const OFF = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  27: ["inverse"],
  29: ["strike"],
  39: ["fg"],
  49: ["bg"],
};

/** Reads a log piece by piece; however it is cut, the lines are the same. */
export class LogParser {
  #rest = "";
  #dropped = 0;
  #style;

  /** @param style What `style()` of an earlier parser answered, to go on where it stopped. */
  constructor(style = {}) {
    this.#style = { ...style };
  }

  /** Takes the next piece and returns the lines that it completes. */
  push(text) {
    const lines = [];
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#keep(text.slice(from, end));
      const { line, style } = parseLine(this.#rest, this.#dropped, this.#style);
      lines.push(line);
      this.#style = style;
      this.#rest = "";
      this.#dropped = 0;
      from = end + 1;
    }
    this.#keep(text.slice(from));
    return lines;
  }

  /** The last line as far as it is there, or undefined when the log ends with a line feed. */
  pending() {
    if (this.#rest === "") return undefined;
    return parseLine(this.#rest, this.#dropped, this.#style).line;
  }

  /** Colours in force at the start of the pending line. */
  style() {
    return { ...this.#style };
  }

  #keep(piece) {
    const room = Math.max(0, LINE_CHARS_MAX - this.#rest.length);
    this.#rest += piece.slice(0, room);
    this.#dropped += Math.max(0, piece.length - room);
  }
}

function parseLine(raw, dropped, style) {
  const text = dropped === 0 && raw.endsWith("\r") ? raw.slice(0, -1) : raw;
  const ours = text.startsWith(OURS);
  // What a build has coloured must not colour our lines, nor the other way round.
  const walk = { spans: [], style: ours ? {} : { ...style } };
  let from = ours ? 1 : 0;
  ODD.lastIndex = from;
  for (let match = ODD.exec(text); match !== null; match = ODD.exec(text)) {
    add(walk, text.slice(from, match.index), classesOf(walk.style));
    from = match.index + match[0].length;
    if (match[2] === "m") applySgr(walk.style, match[1]);
    else if (match[0].length <= 2 && !match[0].startsWith("\u001B[") && isMark(match[0])) {
      add(walk, markOf(match[0]), "ctl");
    }
  }
  add(walk, text.slice(from), classesOf(walk.style));
  if (dropped > 0) add(walk, ` … ${dropped} more characters: see the raw log`, "ctl");
  return { line: { ours, spans: walk.spans }, style: ours ? style : walk.style };
}

function add(walk, text, classes) {
  if (text === "") return;
  const last = walk.spans.at(-1);
  if (last !== undefined && (last.classes === classes || walk.spans.length >= SPANS_MAX)) last.text += text;
  else walk.spans.push({ text, classes });
}

/** A lone character, not a dropped two-character sequence. */
const isMark = (odd) => odd.length === 1 || odd.codePointAt(0) > 0xffff;

function markOf(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

function classesOf(style) {
  const { fg, bg } = style.inverse ? { fg: style.bg ?? "i", bg: style.fg ?? "i" } : style;
  const classes = ["bold", "dim", "italic", "underline", "strike"].filter((flag) => style[flag]);
  if (fg !== undefined) classes.push(`f${fg}`);
  if (bg !== undefined) classes.push(`on${bg}`);
  return classes.join(" ");
}

function applySgr(style, parameters) {
  const codes = parameters.split(/[;:]/, CODES_MAX).map((code) => Number(code === "" ? 0 : code));
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    if (code === 38 || code === 48) {
      const { colour, used } = extendedColour(codes.slice(at + 1), parameters.includes(":"));
      if (colour !== undefined) style[code === 38 ? "fg" : "bg"] = colour;
      at += used;
    } else applyCode(style, code);
  }
}

function applyCode(style, code) {
  if (code === 0) for (const name of Object.keys(style)) delete style[name];
  else if (FLAGS[code] !== undefined) style[FLAGS[code]] = true;
  else if (OFF[code] !== undefined) for (const name of OFF[code]) delete style[name];
  else if (code >= 30 && code <= 37) style.fg = code - 30;
  else if (code >= 40 && code <= 47) style.bg = code - 40;
  else if (code >= 90 && code <= 97) style.fg = code - 82;
  else if (code >= 100 && code <= 107) style.bg = code - 92;
}

/** `5;n` or `2;r;g;b` (with colons, an empty colour space may come before r). */
function extendedColour(codes, colons) {
  if (codes[0] === 5 && codes.length >= 2) return { colour: nearest(fromCube(codes[1])), used: 2 };
  if (codes[0] !== 2) return { colour: undefined, used: 0 };
  const skip = colons && codes.length >= 5 ? 2 : 1;
  if (codes.length < skip + 3) return { colour: undefined, used: codes.length };
  return { colour: nearest(codes.slice(skip, skip + 3)), used: skip + 3 };
}

function fromCube(index) {
  if (index < 16) return PALETTE[index] ?? PALETTE[0];
  if (index >= 232) return [0, 1, 2].map(() => 8 + (index - 232) * 10);
  const at = index - 16;
  return [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((part) => (part === 0 ? 0 : 55 + part * 40));
}

function nearest([red, green, blue]) {
  const distances = PALETTE.map(([r, g, b]) => (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2);
  return distances.indexOf(Math.min(...distances));
}
