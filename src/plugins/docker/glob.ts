/** A pattern for a whole path: `*` and `?` within a name, `**` over names, `[a-z]`, `\` takes what follows as it is. */
export interface Glob {
  /** Whether it means `path` or a directory above it; undefined when the budget was used up before that was known. */
  covers(path: string, budget: Budget): boolean | undefined;
}

/** Comparisons that may be made: of a letter of a path with one place of a pattern. */
export interface Budget {
  left: number;
}

/** One place of a pattern. All but `one` may stand for nothing; `names` is `**` before a slash, `all` at the end. */
type Part =
  | { readonly kind: "one"; readonly accepts: (letter: string) => boolean }
  | { readonly kind: "star" }
  | { readonly kind: "names" }
  | { readonly kind: "all" };

/** The pattern, or undefined when it is none (a `[` without its `]`). */
export function parseGlob(pattern: string): Glob | undefined {
  if (!/[*?[\]\\]/.test(pattern)) return { covers: (path, budget) => coversPlain(pattern, path, budget) };
  const parts = partsOf(Array.from(pattern));
  return parts && new Places(parts);
}

function coversPlain(pattern: string, path: string, budget: Budget): boolean | undefined {
  budget.left -= 1;
  if (budget.left < 0) return undefined;
  return path.startsWith(pattern) && (path.length === pattern.length || path[pattern.length] === "/");
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
 * Follows all ways through the pattern at once, so that a letter costs as many comparisons as the pattern has places, at
 * most: a regular expression would backtrack, and the pattern was written by a stranger.
 */
class Places implements Glob {
  readonly #parts: readonly Part[];
  /** The letter after which a place was reached, and after which all that follows from it was, counted from the first. */
  readonly #reached: Float64Array;
  readonly #entered: Float64Array;
  #letter = 0;
  #now: number[] = [];
  #next: number[] = [];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#reached = new Float64Array(parts.length + 1);
    this.#entered = new Float64Array(parts.length + 1);
  }

  covers(path: string, budget: Budget): boolean | undefined {
    this.#turn();
    this.#enter(0);
    for (let at = 0; at < path.length; at++) {
      if (path[at] === "/" && this.#isWhole()) return true;
      if (this.#waits()) at = nextSlash(path, at);
      const letter = letterAt(path, at);
      at += letter.length - 1;
      budget.left -= this.#next.length;
      if (budget.left < 0) return undefined;
      this.#turn();
      for (const place of this.#now) this.#read(place, letter);
      if (this.#next.length === 0) return false;
    }
    return this.#isWhole();
  }

  /** Nothing can come of the letters up to the next slash: only `**` before a slash is left. */
  #waits(): boolean {
    const [place, other] = this.#next;
    return place !== undefined && other === undefined && this.#parts[place]?.kind === "names";
  }

  /** The whole pattern stands for what has been read. */
  #isWhole(): boolean {
    return this.#reached[this.#parts.length] === this.#letter;
  }

  #turn(): void {
    this.#letter += 1;
    [this.#now, this.#next] = [this.#next, this.#now];
    this.#next.length = 0;
  }

  #read(place: number, letter: string): void {
    const part = this.#parts[place];
    if (part === undefined) return;
    if (part.kind === "one") {
      if (part.accepts(letter)) this.#enter(place + 1);
    } else if (part.kind === "all" || (part.kind === "star" && letter !== "/")) this.#enter(place);
    else if (part.kind === "names") {
      // Whole names only: it is left after a slash.
      if (letter === "/") this.#enter(place);
      else this.#reach(place);
    }
  }

  #reach(place: number): void {
    if (this.#reached[place] === this.#letter) return;
    this.#reached[place] = this.#letter;
    this.#next.push(place);
  }

  /** Reaches a place, and those that are reached from it without a letter; each once a letter. */
  #enter(start: number): void {
    for (let place = start; this.#entered[place] !== this.#letter; place++) {
      this.#entered[place] = this.#letter;
      this.#reach(place);
      const kind = this.#parts[place]?.kind;
      if (kind === undefined || kind === "one") return;
    }
  }
}

/** The letter at a place; those beyond the first 65,536 take two. */
function letterAt(path: string, at: number): string {
  const first = path.charCodeAt(at);
  return first >= 0xd800 && first < 0xdc00 ? String.fromCodePoint(path.codePointAt(at) ?? 0) : (path[at] ?? "");
}

/** Where the next slash is; without one, the last letter. */
function nextSlash(path: string, from: number): number {
  const at = path.indexOf("/", from);
  return at < 0 ? path.length - 1 : at;
}
