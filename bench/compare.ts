import type { EngineName } from "./engines/engine.ts";
import type { Goal, Line, Rival } from "./lines.ts";
import { type Spread, spreadOf } from "./maths.ts";
import type { Sample } from "./run.ts";

/** A line with its figures. */
export interface Compared {
  readonly line: Line;
  /** Undefined: it was not measured, or it failed. */
  readonly ours: Spread | undefined;
  readonly rivals: readonly Against[];
  readonly verdict: Verdict | undefined;
}

/** A rival's figure, and how many times better ours is. */
export interface Against {
  readonly name: string;
  readonly median: number;
  readonly ratio: number;
}

export interface Verdict {
  readonly goal: Goal;
  readonly reached: boolean;
  /** What was not reached, in a few words. */
  readonly missed: readonly string[];
}

const RIVALS: readonly EngineName[] = ["rxjs", "preact", "alien", "mobx"];

/** Lines for which there is any measurement, in the order of the report. */
export function compareAll(lines: readonly Line[], samples: readonly Sample[]): readonly Compared[] {
  const measured = new Set(samples.map(({ of }) => of));
  return lines.filter(({ of, per }) => measured.has(of) && (per === undefined || measured.has(per))).map(compare);

  function compare(line: Line): Compared {
    const ours = figureOf("millrace", line);
    const rivals = ours === undefined ? [] : rivalsOf(line, ours.median);
    return { line, ours, rivals, verdict: ours && line.goal && judge(line.goal, ours.median, rivals) };
  }

  function figureOf(engine: EngineName, { of, figure, per }: Pick<Line, "of" | "figure" | "per">): Spread | undefined {
    const values = valuesOf(samples, engine, of, figure);
    if (values.length === 0) return undefined;
    if (per === undefined) return spreadOf(values);
    const base = valuesOf(samples, engine, per, figure);
    if (base.length === 0) return undefined;
    const { median } = spreadOf(base);
    return spreadOf(values.map((value) => value / median));
  }

  function rivalsOf(line: Line, ours: number): readonly Against[] {
    const against = (name: string, median: number | undefined): readonly Against[] =>
      median === undefined ? [] : [{ name, median, ratio: line.moreIsBetter ? ours / median : median / ours }];
    const plain = line.plain && figureOf("millrace", { of: line.of, figure: line.plain.figure });
    return [
      ...against("ocurrent", line.ocurrent),
      ...RIVALS.flatMap((name) => against(name, figureOf(name, line)?.median)),
      ...against(line.plain?.name ?? "", plain?.median),
    ];
  }
}

function valuesOf(samples: readonly Sample[], engine: EngineName, of: string, figure: string): readonly number[] {
  return samples.flatMap((sample) => {
    if (sample.of !== of || sample.engine !== engine || !sample.outcome.ok) return [];
    return sample.outcome.figures[figure] ?? [];
  });
}

export function judge(goal: Goal, ours: number, rivals: readonly Against[]): Verdict {
  const missed: string[] = [];
  if (goal.atMost !== undefined && ours > goal.atMost) missed.push(`≤ ${goal.atMost.toLocaleString("en-US")}`);
  if (goal.exactly !== undefined && ours !== goal.exactly) missed.push(`exactly ${goal.exactly}`);
  for (const { name, ratio } of rivals) {
    const times = goal.times?.[isRival(name) ? name : "ocurrent"];
    if (isRival(name) && times !== undefined && ratio < times) missed.push(`${times}× ${name}`);
  }
  return { goal, reached: missed.length === 0, missed };
}

const isRival = (name: string): name is Rival => name === "ocurrent" || RIVALS.some((rival) => rival === name);

/** Cases in which the engines did not come to the same root: then they did not do the same work. */
export function disagreements(samples: readonly Sample[]): readonly string[] {
  const roots = new Map<string, Map<number, string[]>>();
  for (const { of, engine, outcome } of samples) {
    const root = outcome.ok ? outcome.figures["root"] : undefined;
    if (root === undefined) continue;
    const found = roots.get(of) ?? new Map<number, string[]>();
    roots.set(of, found);
    found.set(root, [...(found.get(root) ?? []), engine]);
  }
  return [...roots]
    .filter(([, found]) => found.size > 1)
    .map(
      ([of, found]) =>
        `${of}: ${[...found].map(([root, engines]) => `${root} (${[...new Set(engines)].join(", ")})`).join(" · ")}`,
    );
}

/** Measurements that failed, each told once. */
export const failures = (samples: readonly Sample[]): readonly string[] => [
  ...new Set(samples.flatMap(({ of, engine, outcome }) => (outcome.ok ? [] : [`${of}, ${engine}: ${outcome.error}`]))),
];
