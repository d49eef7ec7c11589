import type { Io, Style } from "./io.ts";
import type { Plan, PlanAction, PlanLine } from "./options.ts";

const words: Readonly<Record<PlanAction, { readonly style: Style; readonly count: string }>> = {
  run: { style: "green", count: "to run" },
  held: { style: "yellow", count: "held for a person" },
  unknown: { style: "cyan", count: "unknown until built" },
  failed: { style: "red", count: "failed" },
  reuse: { style: "dim", count: "reused" },
  current: { style: "dim", count: "as wanted" },
};

/** A line a term: what is done, why, where it was declared; below it what a target would change. */
export function printPlan(io: Io, plan: Plan): void {
  for (const line of plan.lines) printLine(io, line);
  const counts = Object.entries(words).flatMap(([action, { count }]) => {
    const number = plan.lines.filter((line) => line.action === action).length;
    return number === 0 ? [] : [`${number} ${count}`];
  });
  io.out(io.paint("bold", `${plan.flavour}: ${counts.length === 0 ? "nothing to do" : counts.join(", ")}`));
}

/** Whether nothing would be done at all. */
export const planIdle = (plan: Plan): boolean =>
  plan.lines.every(({ action }) => action === "reuse" || action === "current");

export const planFailed = (plan: Plan): boolean => plan.lines.some(({ action }) => action === "failed");

const ACTION_WIDTH = 8;

function printLine(io: Io, line: PlanLine): void {
  const action = io.paint(words[line.action].style, line.action.padEnd(ACTION_WIDTH));
  const place = line.at === undefined ? "" : io.paint("dim", `  (${line.at})`);
  io.out(`${action}${line.detail}${place}`);
  const inner = " ".repeat(ACTION_WIDTH);
  for (const { field, before, after } of line.changes ?? []) io.out(`${inner}${field}: ${before} → ${after}`);
  if (line.failure === undefined) return;
  io.out(`${inner}${io.paint("red", line.failure.message)}`);
  if (line.failure.hint !== undefined) io.out(`${inner}${line.failure.hint}`);
}
