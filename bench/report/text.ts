import { type Against, type Compared, disagreements, failures, type Verdict } from "../compare.ts";
import { QUOTED } from "../lines.ts";
import { loadWarning, machineText } from "../machine.ts";
import { numberText, quantityText, ratioText, type Spread, type Unit } from "../maths.ts";
import type { Report } from "./report.ts";

const GAP = "  ";

/** The whole report for a terminal: a table a row, what to make of it, and where it was measured. */
export function reportText(report: Report): string {
  const { machine, samples, compared } = report;
  const loads = samples.map(({ outcome }) => outcome.load);
  const processes = Math.max(0, ...compared.map(({ ours }) => ours?.count ?? 0));
  const rows = [...new Set(compared.map(({ line }) => line.row))];
  const tables = rows.map((row) =>
    tableOf(
      row,
      compared.filter(({ line }) => line.row === row),
    ),
  );
  const wrong = [
    ...disagreements(samples).map((said) => `THE ENGINES DISAGREE: ${said}`),
    ...failures(samples).map((said) => `FAILED: ${said}`),
  ];
  const warning = loadWarning(machine, loads);
  return [
    machineText(machine),
    `Median (least–most) of up to ${processes} processes. n× says how many times better Millrace is.`,
    ...(warning === undefined ? [] : [warning]),
    "",
    ...tables,
    ...(wrong.length === 0 ? ["All engines came to the same roots."] : wrong),
    goalsText(compared),
    `OCurrent's figures are quoted (${QUOTED}), not measured here.`,
    "",
  ].join("\n");
}

function tableOf(row: string, compared: readonly Compared[]): string {
  const names = [...new Set(compared.flatMap(({ rivals }) => rivals.map(({ name }) => name)))];
  const head = [row, "millrace", ...names, "goal"];
  const body = compared.map(({ line, ours, rivals, verdict }) => [
    line.title,
    spreadText(ours, line.unit),
    ...names.map((name) =>
      againstText(
        rivals.find((one) => one.name === name),
        line.unit,
      ),
    ),
    verdictText(verdict),
  ]);
  return `${aligned([head, ...body])}\n`;
}

function spreadText(spread: Spread | undefined, unit: Unit): string {
  if (spread === undefined) return "failed";
  const median = quantityText(spread.median, unit);
  if (spread.count === 1 || spread.min === spread.max) return median;
  return `${median} (${numberText(scaled(spread.min, spread))}–${numberText(scaled(spread.max, spread))})`;

  /** In the unit that the median is told in. */
  function scaled(value: number, { median: middle }: Spread): number {
    return (unit === "µs" || unit === "ms") && middle >= 1_000 ? value / 1_000 : value;
  }
}

function againstText(against: Against | undefined, unit: Unit): string {
  if (against === undefined) return "";
  const { median, ratio } = against;
  const told = quantityText(median, unit);
  return Number.isFinite(ratio) && ratio !== 1 ? `${told} ${ratioText(ratio)}` : told;
}

function verdictText(verdict: Verdict | undefined): string {
  if (verdict === undefined) return "";
  const { goal, reached, missed } = verdict;
  return reached ? `${goal.number} reached` : `${goal.number} NOT reached: ${missed.join(", ")}`;
}

/** Goals as a whole: one is reached when every line of it is. */
function goalsText(compared: readonly Compared[]): string {
  const verdicts = compared.flatMap(({ verdict }) => verdict ?? []);
  const numbers = [...new Set(verdicts.map(({ goal }) => goal.number))].toSorted((a, b) => a - b);
  if (numbers.length === 0) return "No goal was measured.";
  const open = numbers.filter((number) => verdicts.some(({ goal, reached }) => goal.number === number && !reached));
  const reached = numbers.filter((number) => !open.includes(number));
  const list = (of: readonly number[]): string => (of.length === 0 ? "none" : of.join(", "));
  return `Goals reached: ${list(reached)}. Not reached: ${list(open)}.`;
}

/** Columns as wide as their widest cell; numbers are easier to compare when they end in one line. */
function aligned(table: readonly (readonly string[])[]): string {
  const columns = Math.max(...table.map((cells) => cells.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...table.map((cells) => cells[column]?.length ?? 0)),
  );
  const cellOf = (text: string, column: number): string =>
    column === 0 || column === columns - 1 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return table.map((cells) => cells.map(cellOf).join(GAP).trimEnd()).join("\n");
}
