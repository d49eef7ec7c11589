/** What Go takes for blank: not a byte order mark. */
const COMMENT = /^(?:[^\S\uFEFF]|\u0085)*#/;
const EMPTY = /^(?:[^\S\uFEFF]|\u0085)*$/;
/** The character that continues a line is chosen. */
const CHOICE = /^[\s\u0085]*(?:#|\/\/)\s*escape\s*=/i;

/** By hand: a regular expression would look for the end from each of many such characters. */
function withoutEnd(line: string, characters: string): string {
  let end = line.length;
  while (end > 0 && characters.includes(line.charAt(end - 1))) end -= 1;
  return line.slice(0, end);
}

/** ADD, or what another instruction may follow. */
const OF_INTEREST = /^[\s\u0085]*(?:add|onbu[i\u0130]ld)[\s\u0085]/i;

/**
 * All that BuildKit may take for an ADD in a Dockerfile, also behind ONBUILD, each on one line. Its author chooses among the versions
 * of BuildKit's reader, and where they differ, or a here-document hides what continues what, the text is read in each
 * way, so that nothing is missed. It takes as long as the text is, times a few.
 *
 * @source github.com/moby/buildkit, frontend/dockerfile/parser/parser.go: Parse, trimContinuationCharacter
 */
export function addsIn(text: string): readonly string[] {
  const found = linesOf(text).flatMap((lines) => waysOf(text, lines).flatMap((way) => readIn(lines, way)));
  return [...new Set(found)];
}

/** Line feeds end lines; of carriage returns before one, all or the last are not part of the line. */
function linesOf(text: string): readonly (readonly string[])[] {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  const all = lines.map((line) => withoutEnd(line, "\r"));
  if (!lines.some((line) => line.endsWith("\r\r"))) return [all];
  return [all, lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line))];
}

/** What continues a line: at its end, and whether also when it is written twice there. */
interface Way {
  readonly escape: string;
  readonly twice: boolean;
  /** Whether blanks may stand before a comment between two lines of an instruction. */
  readonly indented: boolean;
}

function waysOf(text: string, lines: readonly string[]): readonly Way[] {
  const escapes = lines.some((line) => CHOICE.test(line)) ? ["\\", "`"] : ["\\"];
  const indents = lines.some((line) => COMMENT.test(line) && !line.startsWith("#")) ? [true, false] : [true];
  return escapes.flatMap((escape) =>
    (text.includes(escape + escape) ? [false, true] : [false]).flatMap((twice) =>
      indents.map((indented) => ({ escape, twice, indented })),
    ),
  );
}

function readIn(lines: readonly string[], way: Way): readonly string[] {
  const parts = joined(lines, way);
  const whole = parts.map((one) => one.join(""));
  const adds = whole.filter((one) => OF_INTEREST.test(one));
  return whole.some(mayOpenDocument) ? [...adds, ...parts.flatMap(addWithin)] : adds;
}

/** One after the other, as they stand: of each instruction the lines. */
function joined(lines: readonly string[], way: Way): readonly (readonly string[])[] {
  const found: string[][] = [];
  let open: string[] | undefined;
  for (const line of lines) {
    if (open === undefined || way.indented ? COMMENT.test(line) : line.startsWith("#")) continue;
    if (open !== undefined && EMPTY.test(line)) continue;
    const { text, goesOn } = continuation(line, way);
    const parts: string[] = open ?? [];
    parts.push(text);
    if (!goesOn) found.push(parts);
    open = goesOn ? parts : undefined;
  }
  return open === undefined ? found : [...found, open];
}

function continuation(line: string, { escape, twice }: Way): { readonly text: string; readonly goesOn: boolean } {
  const bare = withoutEnd(line, " \t");
  const goesOn = bare.endsWith(escape) && (twice || bare.at(-2) !== escape);
  return goesOn ? { text: bare.slice(0, -1), goesOn } : { text: line, goesOn };
}

/** Also with what is left away or comes to nothing between the two. */
const mayOpenDocument = (instruction: string): boolean =>
  instruction.includes("<") && /<(?:\$[^<]*)?</.test(instruction.replace(/["'\\`\s]/g, ""));

/** The first letters, with at most one blank before them. */
const HEAD_LETTERS = " onbuild ".length;

/**
 * A line that only seems to continue another may be the first behind a here-document. The first that may begin an ADD
 * there holds all others.
 */
function addWithin(parts: readonly string[]): readonly string[] {
  if (parts.length < 2) return [];
  let first: number | undefined;
  let head = "";
  for (let at = parts.length - 1; at > 0; at -= 1) {
    head = ((parts[at] ?? "") + head).replace(/^[\s\u0085]+/, " ").slice(0, HEAD_LETTERS);
    if (OF_INTEREST.test(head)) first = at;
  }
  return first === undefined ? [] : [`ADD ${parts.slice(first).join("")}`];
}
