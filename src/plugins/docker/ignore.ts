import { posix } from "node:path";
import { problem } from "../../engine/errors.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { type Budget, type Glob, parseGlob } from "./glob.ts";

/** What a `.dockerignore` leaves out of the build's context. */
export interface Ignore {
  /**
   * `path` is relative, with `/`. A path below one that is left out is left out too, unless an exception brings it back.
   * Undefined: finding out would take too long, see `COMPARISONS_A_PATH`.
   */
  leavesOut(path: string): boolean | undefined;
  /** Whether something below a directory that is left out may still be wanted. */
  readonly hasExceptions: boolean;
}

/** Every pattern is tried on every path, so a hostile list is stopped here. */
export const IGNORE_BYTES_MAX = 64 * 1024;
const PATTERNS_MAX = 1_000;
/**
 * What a path may cost on average (less than a millisecond), and at most when those before it cost less: the
 * process does nothing else meanwhile.
 */
const COMPARISONS_A_PATH = 20_000;
const COMPARISONS_MAX = 2_000_000;

/**
 * Reads a `.dockerignore`: one pattern a line, `#` at the start comments, `!` brings back, the last match wins.
 *
 * Fails with `CONTEXT_REFUSED` for a pattern that is none; `name` is the file, for the message.
 *
 * @source docs.docker.com/build/concepts/context, .dockerignore files; github.com/moby/patternmatcher
 */
export function parseIgnore(text: string, name: string): Result<Ignore> {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  if (text.length > IGNORE_BYTES_MAX || lines.length > PATTERNS_MAX) return failure(ignoreTooLarge(name));
  const rules: Rule[] = [];
  for (const [at, line] of lines.entries()) {
    const rule = line.startsWith("#") ? undefined : parseRule(line.trim());
    if (rule === "bad") return failure(problem("CONTEXT_REFUSED", `${name}:${at + 1}: "${line.trim()}" is no pattern`));
    if (rule !== undefined) rules.push(rule);
  }
  const budget: Budget = { left: COMPARISONS_MAX };
  return success({
    hasExceptions: rules.some((rule) => rule.exception),
    leavesOut: (path) => {
      budget.left = Math.min(COMPARISONS_MAX, budget.left + COMPARISONS_A_PATH);
      return leavesOut(rules, path, budget);
    },
  });
}

export const ignoreTooLarge = (name: string): Failure =>
  problem("CONTEXT_REFUSED", `${name} is larger than ${IGNORE_BYTES_MAX} bytes or ${PATTERNS_MAX} lines`);

interface Rule {
  readonly exception: boolean;
  readonly glob: Glob;
}

function parseRule(line: string): Rule | "bad" | undefined {
  const exception = line.startsWith("!");
  const written = exception ? line.slice(1).trim() : line;
  if (written === "") return exception ? "bad" : undefined;
  const clean = posix.normalize(written).replace(/(.)\/$/, "$1");
  const glob = parseGlob(clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean);
  return glob === undefined ? "bad" : { exception, glob };
}

function leavesOut(rules: readonly Rule[], path: string, budget: Budget): boolean | undefined {
  let out = false;
  for (const { exception, glob } of rules) {
    if (exception !== out) continue;
    const covers = glob.covers(path, budget);
    if (covers === undefined) return undefined;
    if (covers) out = !exception;
  }
  return out;
}
