import type { Json } from "../json.ts";

/** What a line of a failed job's log may look like, and what is told of it then. */
export interface LogRule {
  /** A regular expression in RE2's syntax; `^` and `$` are the ends of a line. */
  readonly pattern: string;
  /** What is told: `$1` is the first group, `$0` all that matched, `$$` a dollar. Blank: the line itself. */
  readonly report: string;
  /** The rule with the highest score speaks; among equals the one whose line comes first. */
  readonly score: number;
}

/** What one rule found. */
export interface Found {
  readonly rule: LogRule;
  /** Where in the text that was searched. */
  readonly at: number;
  readonly headline: string;
}

const PATTERN_BYTES_MAX = 1_000;
const REPORT_CHARS_MAX = 200;
export const SCORE_MAX = 1_000;
export const RULES_MAX = 500;
/** A file of so many rules of the usual length is a tenth of it. */
export const CSV_CHARS_MAX = 1_000_000;

/** Why something cannot be a rule whatever its pattern means; undefined when it may be one. */
export function shapeFault({ pattern, report, score }: LogRule): string | undefined {
  const bytes = new TextEncoder().encode(pattern).length;
  if (bytes === 0) return "the pattern is empty";
  if (bytes > PATTERN_BYTES_MAX) return `the pattern has ${bytes} bytes; at most ${PATTERN_BYTES_MAX} are allowed`;
  if (hasControl(pattern)) return "the pattern holds a control character: write it as an escape, such as \\t or \\x00";
  if (report.length > REPORT_CHARS_MAX)
    return `the report has ${report.length} characters; at most ${REPORT_CHARS_MAX} are allowed`;
  if (hasControl(report)) return "the report holds a control character";
  if (!Number.isInteger(score) || score < 0 || score > SCORE_MAX)
    return `the score must be a whole number from 0 to ${SCORE_MAX}`;
  return undefined;
}

const hasControl = (text: string): boolean => /\p{Cc}/u.test(text);

/** Highest score first; equals stay in their order. */
export const byScore = (rules: readonly LogRule[]): readonly LogRule[] => rules.toSorted((a, b) => b.score - a.score);

export const encodeRules = (rules: readonly LogRule[]): Json =>
  rules.map(({ pattern, report, score }) => ({ pattern, report, score }));

/** Undefined: nothing was stored, or not by us. */
export function decodeRules(json: Json | undefined): readonly LogRule[] | undefined {
  if (!Array.isArray(json)) return undefined;
  return json.flatMap((one) => decodeRule(one) ?? []);
}

function decodeRule(json: unknown): LogRule | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  if (!("pattern" in json && "report" in json && "score" in json)) return undefined;
  const { pattern, report, score } = json;
  if (typeof pattern !== "string" || typeof report !== "string" || typeof score !== "number") return undefined;
  return { pattern, report, score };
}
