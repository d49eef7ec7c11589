/** Line feeds end lines, as for BuildKit; a carriage return before one is not part of the line. */
const linesOf = (text: string): readonly string[] =>
  text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line) => withoutEnd(line, "\r"));

const COMMENT = /^[\s\u0085]*#/;
const EMPTY = /^[\s\u0085]*$/;
/** The character that continues a line is chosen. */
const CHOICE = /^[\s\u0085]*(?:#|\/\/)\s*escape\s*=/i;
/** What ADD and ONBUILD begin with. */
const OF_INTEREST = /^[\s\u0085]*[ao]/i;

/** By hand: a regular expression would look for the end from each of many such characters. */
function withoutEnd(line: string, characters: string): string {
  let end = line.length;
  while (end > 0 && characters.includes(line.charAt(end - 1))) end -= 1;
  return line.slice(0, end);
}

/**
 * All that BuildKit may take for an instruction in a Dockerfile, each on one line, in order. Where a text can be read in
 * more than one way it is read in each of them, so that nothing is missed: both characters that may continue a line when
 * one is chosen, one of them written twice as earlier versions took it, and each line of a file with here-documents by
 * itself.
 *
 * @source github.com/moby/buildkit, frontend/dockerfile/parser/parser.go: Parse, trimContinuationCharacter
 */
export function instructionsIn(text: string): readonly string[] {
  const lines = linesOf(text);
  const escapes = lines.some((line) => CHOICE.test(line)) ? ["\\", "`"] : ["\\"];
  const ways = escapes.flatMap((escape) => [
    { escape, twice: false },
    ...(text.includes(escape + escape) ? [{ escape, twice: true }] : []),
  ]);
  const found = ways.flatMap((way) => joined(lines, way));
  if (!text.includes("<<")) return found;
  // A line that only seems to continue another one may be the first behind a here-document.
  return [...found, ...lines.flatMap((_, at) => startingAt(lines, at, ways))];
}

/** What continues a line: at its end, and whether also when it is written twice there. */
interface Way {
  readonly escape: string;
  readonly twice: boolean;
}

/** One after the other, as they stand. */
function joined(lines: readonly string[], way: Way): readonly string[] {
  const found: string[] = [];
  let open: string[] | undefined;
  for (const line of lines) {
    if (COMMENT.test(line) || (open !== undefined && EMPTY.test(line))) continue;
    const { text, goesOn } = continuation(line, way);
    const parts: string[] = open ?? [];
    parts.push(text);
    if (!goesOn) found.push(parts.join(""));
    open = goesOn ? parts : undefined;
  }
  return open === undefined ? found : [...found, open.join("")];
}

/** No word of interest has more parts than letters, and no address is written on more lines than these. */
const JOINED_MAX = 32;

function startingAt(lines: readonly string[], at: number, ways: readonly Way[]): readonly string[] {
  if (!OF_INTEREST.test(lines[at] ?? "")) return [];
  return ways.flatMap((way) => joined(lines.slice(at, at + JOINED_MAX), way).slice(0, 1));
}

function continuation(line: string, { escape, twice }: Way): { readonly text: string; readonly goesOn: boolean } {
  const bare = withoutEnd(line, " \t");
  const goesOn = bare.endsWith(escape) && (twice || bare.at(-2) !== escape);
  return goesOn ? { text: bare.slice(0, -1), goesOn } : { text: line, goesOn };
}
