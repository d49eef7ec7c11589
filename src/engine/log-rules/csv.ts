import { failure, type Result, success } from "../../term/output.ts";
import { problem } from "../errors.ts";
import type { LogRule } from "./rule.ts";

const HEADER = ["pattern", "report", "score"];
/** What is said of a file that is wrong all over. */
const FAULTS_MAX = 20;

/** A rule, and the line of the file where it begins. */
export interface ReadRule {
  readonly line: number;
  readonly rule: LogRule;
}

/** Rules as a table that spreadsheets read: RFC 4180, with a line of names first. */
export const csvOf = (rules: readonly LogRule[]): string =>
  [HEADER, ...rules.map(({ pattern, report, score }) => [pattern, report, String(score)])]
    .map((row) => `${row.map(cell).join(",")}\r\n`)
    .join("");

const cell = (text: string): string => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The rules of such a table. Fails with `BAD_REQUEST`, which names every line that is wrong. */
export function rulesOfCsv(text: string): Result<readonly ReadRule[]> {
  const rows = rowsOf(text.replace(/^\ufeff/, ""));
  if (typeof rows === "string") return faulty([rows]);
  const [first, ...rest] = rows;
  if (first?.cells.join() !== HEADER.join())
    return faulty([`line 1: got ${shown(first?.cells.join() ?? "")}, expected the names ${HEADER.join()}`]);
  const faults = rest.flatMap(({ line, cells }) => {
    if (cells.length !== 3) return [`line ${line}: got ${cells.length} fields, expected 3`];
    return /^\d{1,9}$/.test(cells[2] ?? "") ? [] : [`line ${line}: the score ${shown(cells[2] ?? "")} is no number`];
  });
  if (faults.length > 0) return faulty(faults);
  return success(
    rest.map(({ line, cells: [pattern = "", report = "", score = ""] }) => ({
      line,
      rule: { pattern, report, score: Number(score) },
    })),
  );
}

/** Every fault in one message: nothing was taken. */
export function faulty(faults: readonly string[]): Result<never> {
  const more = faults.length > FAULTS_MAX ? [`and ${faults.length - FAULTS_MAX} more`] : [];
  const message = `nothing was imported:\n${[...faults.slice(0, FAULTS_MAX), ...more].join("\n")}`;
  return failure(problem("BAD_REQUEST", message, { hint: "Correct these lines, and import the file again." }));
}

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Rows with the line that each begins in, or what is wrong. Blank lines are left out. */
function rowsOf(text: string): readonly Row[] | string {
  const rows: Row[] = [];
  let cells: string[] = [];
  let [line, begun] = [1, 1];
  const token = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  while (token.lastIndex < text.length || cells.length > 0) {
    const found = token.exec(text);
    if (found === null) return `line ${line}: a quote is not closed, or text comes after a closed one`;
    const [all, quoted, plain = "", end] = found;
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += all.split(/\r\n|\n|\r/).length - 1;
    if (end === ",") continue;
    if (cells.length > 1 || cells[0] !== "") rows.push({ line: begun, cells });
    cells = [];
    begun = line;
  }
  return rows;
}
