import { type EngineName, engineNames } from "./engines/engine.ts";
import { starModes } from "./graph/plan.ts";
import type { Task, WorkName } from "./task.ts";

/** What is measured, several times over; each time in a new process. */
export interface Case {
  /** How `lines.ts` names it. */
  readonly id: string;
  /** What `--only` chooses. */
  readonly row: string;
  readonly task: Omit<Task, "engine" | "quick">;
  readonly engines: readonly EngineName[];
  /** A part that not every machine has: without it the case is left out. */
  readonly needs?: "chromium";
  /** In how many processes: in a full run, and in a quick one. */
  readonly repeats: { readonly full: number; readonly quick: number };
}

const SIZES = [1_000, 10_000, 100_000];
const OURS: readonly EngineName[] = ["millrace"];

function caseOf(id: string, task: Case["task"], engines: readonly EngineName[], full: number, quick: number): Case {
  const row = id.split(" ")[0] ?? id;
  return { id, row, task, engines, repeats: { full, quick } };
}

const starCases: readonly Case[] = starModes.flatMap((mode) =>
  SIZES.map((size) => {
    const task = { work: "star", size, mode } as const;
    return caseOf(`star ${mode} ${size}`, task, engineNames, mode === "flat" ? 5 : 3, mode === "flat" ? 1 : 0);
  }),
);

const buildCases: readonly Case[] = [10_000, 100_000].map((size) =>
  caseOf(`build ${size}`, { work: "build", size, mode: "flat" }, engineNames, 5, size === 10_000 ? 3 : 1),
);

const shape = (mode: string, size: number, engines: readonly EngineName[] = engineNames): Case =>
  caseOf(`${mode} ${size}`, { work: "shape", size, mode }, engines, 5, 1);

const ours = (id: string, work: WorkName, size: number): Case => caseOf(id, { work, size }, OURS, 5, 1);

/** RxJS would not end on a ladder of 100: its work doubles with every diamond. */
const glitchFree = engineNames.filter((name) => name !== "rxjs");

export const cases: readonly Case[] = [
  ...starCases,
  ...buildCases,
  shape("ladder", 16),
  shape("ladder", 100, glitchFree),
  ours("ladder of jobs", "async", 100),
  shape("comb", 100),
  shape("chain", 100_000, OURS),
  caseOf("chain depth", { work: "depth", size: 100_000 }, engineNames, 3, 1),
  ours("restart 10000", "restart", 10_000),
  ours("idle 1000", "idle", 1_000),
  ours("idle 10000", "idle", 10_000),
  ours("branch 2000", "branch", 2_000),
  ours("branch 20000", "branch", 20_000),
  ours("bookkeeping", "bookkeeping", 1_000),
  ours("burst", "burst", 1_000),
  ours("webhooks", "webhooks", 1_000),
  ours("unsigned", "unsigned", 4),
  ours("streams", "streams", 200),
  ours("drawing 500", "drawing", 500),
  ours("drawing 2000", "drawing", 2_000),
  ours("drawing 5000", "drawing", 5_000),
  { ...ours("browser", "browser", 500), needs: "chromium" },
];

/** Names for `--only`; one job among many is measured after a restart. */
export const rows: readonly string[] = [...new Set(cases.map(({ row }) => row)), "job"];

export const chosen = (only: readonly string[]): readonly Case[] =>
  only.length === 0
    ? cases
    : cases.filter(({ row }) => only.includes(row) || (row === "restart" && only.includes("job")));
