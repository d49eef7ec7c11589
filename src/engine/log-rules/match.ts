import { RE2JS } from "re2js";
import { byScore, type Found, type LogRule } from "./rule.ts";

/** Of a headline before secrets are taken out of it: only then may it be cut to what is shown. */
const LINE_CHARS_MAX = 4_000;
const COMPILED_MAX = 1_000;
const compiled = new Map<string, RE2JS>();

/** Why the pattern or the report cannot be used; undefined when they can. */
export function meaningFault({ pattern, report }: LogRule): string | undefined {
  try {
    const expression = compile(pattern);
    if (expression.test("")) return "the pattern matches the empty text, and so every log";
    const most = expression.groupCount();
    const wrong = [...report.matchAll(REFERENCE)].find(([, group]) => group !== "$" && Number(group) > most);
    return wrong && `the report names ${wrong[0]}, and the pattern has ${most === 0 ? "no groups" : `${most} groups`}`;
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll("(?m)", "") : "the pattern cannot be read";
  }
}

/** How far a search is: told before each rule, for whoever has to end it. */
export interface Progress {
  readonly rule: LogRule;
  readonly best: Found | undefined;
}

/**
 * What the rules make of a log. Each rule looks at the whole text for itself, so none hides another; rules that could
 * not win any more are left out.
 */
export function bestIn(log: string, rules: readonly LogRule[], tell: (progress: Progress) => void): Found | undefined {
  const text = outputOf(log);
  let best: Found | undefined;
  for (const rule of byScore(rules)) {
    if (best !== undefined && rule.score < best.rule.score) break;
    tell({ rule, best });
    const found = firstIn(text, rule);
    if (found !== undefined && (best === undefined || found.at < best.at)) best = found;
  }
  return best;
}

function firstIn(text: string, rule: LogRule): Found | undefined {
  const expression = compile(rule.pattern);
  if (!expression.test(text)) return undefined; // far cheaper than to find the groups
  const matcher = expression.matcher(text);
  if (!matcher.find()) return undefined;
  const at = matcher.start();
  const told = rule.report.replaceAll(REFERENCE, (_, group: string) =>
    group === "$" ? "$" : (matcher.group(Number(group)) ?? ""),
  );
  const headline = oneLine(rule.report === "" ? lineAt(text, at) : told);
  return headline === "" ? undefined : { rule, at, headline };
}

const REFERENCE = /\$(\d|\$)/g;

/** @throws {Error} what is wrong with the pattern. */
function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  const expression = RE2JS.compile(pattern, RE2JS.MULTILINE);
  compiled.set(pattern, expression);
  return expression;
}

/** What was run has written, without colours and without what BuildKit adds; our own lines are left out. */
export const outputOf = (log: string): string =>
  log
    // oxlint-disable-next-line no-control-regex -- it marks a line of ours
    .replaceAll(/^\u001e.*\n?/gm, "")
    // oxlint-disable-next-line no-control-regex -- terminals are steered by control characters
    .replaceAll(/\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?)/g, "")
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(INSTRUCTION, "")
    .replaceAll(/^#\d+ (?:\d+\.\d+ )?/gm, "");

/** Lines in which BuildKit repeats the Dockerfile: what an instruction says is not what it wrote. */
const INSTRUCTION = /^#\d+ (?:\[(?:[^\]\n]* )?\d+\/\d+\] |\[internal\] |ERROR: process "|DONE \d).*\n?/gm;

function lineAt(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(text.lastIndexOf("\n", at - 1) + 1, end < 0 ? text.length : end);
}

/** Control characters and runs of blanks become one blank. */
function oneLine(text: string): string {
  return text
    .slice(0, LINE_CHARS_MAX)
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim();
}
