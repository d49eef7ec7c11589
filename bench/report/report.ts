import { type Compared, compareAll } from "../compare.ts";
import { isEngineName } from "../engines/engine.ts";
import { lines } from "../lines.ts";
import type { Machine } from "../machine.ts";
import type { Sample } from "../run.ts";
import { isRecord, outcomeIn } from "../task.ts";

/** Everything that one run has found. */
export interface Report {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly samples: readonly Sample[];
  readonly compared: readonly Compared[];
}

export const reportOf = (machine: Machine, quick: boolean, samples: readonly Sample[]): Report => ({
  machine,
  quick,
  samples,
  compared: compareAll(lines, samples),
});

/** For programs: the comparison, and every single measurement behind it. */
export function reportJson({ machine, quick, samples, compared }: Report): string {
  const told = compared.map(({ line, ours, rivals, verdict }) => ({
    row: line.row,
    title: line.title,
    unit: line.unit,
    millrace: ours,
    rivals,
    goal: verdict && { number: verdict.goal.number, reached: verdict.reached, missed: verdict.missed },
  }));
  return `${JSON.stringify({ version: 1, machine, quick, lines: told, samples }, undefined, 1)}\n`;
}

/** Reads it again, for another look at an earlier run. @throws {Error} when it is something else. */
export function reportIn(text: string): Report {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value) || value["version"] !== 1 || !isMachine(value["machine"]) || !Array.isArray(value["samples"]))
    throw new Error("this is no result of npm run bench");
  const samples: readonly unknown[] = value["samples"];
  return reportOf(value["machine"], value["quick"] === true, samples.map(sampleIn));
}

function sampleIn(value: unknown): Sample {
  if (!isRecord(value)) throw new Error("a measurement is no object");
  const { of, engine } = value;
  const outcome = outcomeIn(JSON.stringify(value["outcome"]));
  if (typeof of !== "string" || typeof engine !== "string" || !isEngineName(engine) || outcome === undefined)
    throw new Error(`a measurement of ${JSON.stringify(of)} cannot be read`);
  return { of, engine, outcome };
}

function isMachine(value: unknown): value is Machine {
  if (!isRecord(value)) return false;
  const texts = ["cpu", "system", "node", "at"].every((name) => typeof value[name] === "string");
  return texts && ["cores", "memoryGiB", "load"].every((name) => typeof value[name] === "number");
}
