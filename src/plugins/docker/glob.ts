/** A pattern for a whole path: `*` and `?` within a name, `**` over names, `[a-z]`, `\` takes what follows as it is. */
export interface Glob {
  /** Whether it means `path` or a directory above it. */
  covers(path: string): boolean;
}

/** One place of a pattern. All but `one` may stand for nothing; `names` is `**` before a slash, `all` at the end. */
type Part =
  | { readonly kind: "one"; readonly accepts: (letter: string) => boolean }
  | { readonly kind: "star" }
  | { readonly kind: "names" }
  | { readonly kind: "all" };

/** The pattern, or undefined when it is none (a `[` without its `]`). */
export function parseGlob(pattern: string): Glob | undefined {
  if (!/[*?[\]\\]/.test(pattern)) return { covers: (path) => `${path}/`.startsWith(`${pattern}/`) };
  const parts = partsOf(Array.from(pattern));
  return parts && { covers: (path) => covers(parts, path) };
}

function partsOf(letters: readonly string[]): readonly Part[] | undefined {
  const parts: Part[] = [];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] ?? "";
    if (letter === "*" && letters[at + 1] === "*") {
      at += letters[at + 2] === "/" ? 2 : 1;
      parts.push({ kind: at + 1 >= letters.length ? "all" : "names" });
    } else if (letter === "*") parts.push({ kind: "star" });
    else if (letter === "?") parts.push({ kind: "one", accepts: (other) => other !== "/" });
    else if (letter === "[") {
      const end = endOfClass(letters, at);
      const accepts = end === undefined ? undefined : classOf(letters.slice(at + 1, end));
      if (end === undefined || accepts === undefined) return undefined;
      parts.push({ kind: "one", accepts });
      at = end;
    } else {
      const literal = letter === "\\" ? letters[++at] : letter;
      if (literal === undefined) return undefined;
      parts.push({ kind: "one", accepts: (other) => other === literal });
    }
  }
  return parts;
}

function endOfClass(letters: readonly string[], start: number): number | undefined {
  const first = letters[start + 1] === "^" ? start + 2 : start + 1;
  for (let at = first; at < letters.length; at++) {
    if (letters[at] === "\\") at += 1;
    else if (letters[at] === "]" && at > first) return at;
  }
  return undefined;
}

function classOf(letters: readonly string[]): ((letter: string) => boolean) | undefined {
  const inverted = letters[0] === "^";
  const ranges: [string, string][] = [];
  const rest = letters.slice(inverted ? 1 : 0);
  const next = (): string | undefined => {
    const letter = rest.shift();
    return letter === "\\" ? rest.shift() : letter;
  };
  for (let low = next(); low !== undefined; low = next()) {
    const isRange = rest[0] === "-" && rest.length > 1;
    if (isRange) rest.shift();
    const high = isRange ? next() : low;
    if (high === undefined || high < low) return undefined;
    ranges.push([low, high]);
  }
  return (letter) => letter !== "/" && ranges.some(([low, high]) => low <= letter && letter <= high) !== inverted;
}

/**
 * Follows all ways through the pattern at once, so that the time is bounded by pattern × path: a regular expression
 * would backtrack, and the pattern was written by a stranger.
 */
function covers(parts: readonly Part[], path: string): boolean {
  let places = enter(parts, new Set(), 0);
  for (const letter of path) {
    if (letter === "/" && places.has(parts.length)) return true;
    const next = new Set<number>();
    for (const place of places) {
      const part = parts[place];
      if (part === undefined) continue;
      if (part.kind === "one") {
        if (part.accepts(letter)) enter(parts, next, place + 1);
      } else if (part.kind === "all" || (part.kind === "star" && letter !== "/")) enter(parts, next, place);
      else if (part.kind === "names") {
        // Whole names only: it is left after a slash.
        if (letter === "/") enter(parts, next, place);
        else next.add(place);
      }
    }
    places = next;
    if (places.size === 0) return false;
  }
  return places.has(parts.length);
}

/** Adds a place, and those that are reached from it without a letter. */
function enter(parts: readonly Part[], places: Set<number>, start: number): Set<number> {
  for (let place = start; ; place++) {
    places.add(place);
    const kind = parts[place]?.kind;
    if (kind === undefined || kind === "one") return places;
  }
}
