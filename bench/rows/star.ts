import { type Graph, loadEngine, type Start } from "../engines/engine.ts";
import { Arithmetic, numbersBelow, oracle } from "../graph/arithmetic.ts";
import { type Plan, type StarMode, star, starModes } from "../graph/plan.ts";
import { median } from "../maths.ts";
import type { Figures, Task } from "../task.ts";
import { collect, cpuMs, eachWallMs, US_A_MS, wallMs } from "./meter.ts";

const WARM_SIZE = 500;
const LARGE = 100_000;

/**
 * Changes in a star: one source (any, the first, the last), then all of them; and what a term weighs.
 *
 * @throws {Error} when the root is not what a plain re-computation gives.
 */
export async function measureStar(task: Task): Promise<Figures> {
  const start = await loadEngine(task.engine);
  const mode = modeOf(task);
  warm(start, mode);
  const plan = star(task.size, mode);
  const arithmetic = new Arithmetic();
  collect();
  const before = process.memoryUsage().rss;
  let graph: Graph | undefined;
  const buildMs = wallMs(() => (graph = start(plan, arithmetic)));
  collect();
  const termB = (process.memoryUsage().rss - before) / task.size;
  if (graph === undefined) throw new Error("no graph was made");
  const one = measureOne(graph, plan, arithmetic, task);
  const all = measureAll(graph, plan, task);
  graph.stop();
  return { buildMs, termB, ...one, ...all };
}

function measureOne(graph: Graph, plan: Plan, arithmetic: Arithmetic, task: Task): Figures {
  const count = task.quick ? 60 : task.size >= LARGE ? 120 : 400;
  const below = numbersBelow(plan.sources.length);
  let version = 1_000;
  const change = (source: () => number): readonly number[] => eachWallMs(count, () => graph.set(source(), ++version));
  change(below); // once to warm up
  const runs = arithmetic.runs;
  const any = change(below);
  const ran = (arithmetic.runs - runs) / count;
  const first = change(() => 0);
  const last = change(() => plan.sources.length - 1);
  return {
    anyUs: median(any) * US_A_MS,
    firstUs: median(first) * US_A_MS,
    lastUs: median(last) * US_A_MS,
    anyRuns: ran,
  };
}

function measureAll(graph: Graph, plan: Plan, task: Task): Figures {
  const count = task.quick ? 3 : task.size >= LARGE ? 5 : 9;
  let version = 0;
  const values = (): readonly number[] => plan.sources.map((_, source) => version * 7 + source);
  const change = (): number => {
    version += 1;
    const next = values();
    return wallMs(() => graph.setAll(next));
  };
  change();
  const told = graph.told;
  const times = Array.from({ length: count }, change);
  const allTold = (graph.told - told) / count;
  const want = oracle(plan, values());
  if (graph.root !== want) throw new Error(`the root is ${graph.root}, and not ${want}`);
  return { allMs: median(times), allTold, root: graph.root };
}

/** Building a star and computing it once in a process that has done nothing before: what a start of Millrace is. */
export async function measureColdBuild(task: Task): Promise<Figures> {
  const start = await loadEngine(task.engine);
  const plan = star(task.size, modeOf(task));
  collect();
  const cpu = cpuMs();
  let graph: Graph | undefined;
  const coldMs = wallMs(() => (graph = start(plan, new Arithmetic())));
  const coldCpuMs = cpuMs() - cpu;
  return { coldMs, coldCpuMs, root: graph?.root ?? Number.NaN };
}

/** The compiler has seen the code before anything is measured. */
function warm(start: Start, mode: StarMode): void {
  const plan = star(WARM_SIZE, mode);
  for (let round = 0; round < 8; round++) {
    const graph = start(plan, new Arithmetic());
    for (const source of plan.sources.keys()) graph.set(source, source + 77 + round);
    graph.setAll(plan.sources.map((source) => source + 9_000 + round));
    graph.stop();
  }
}

function modeOf({ mode }: Task): StarMode {
  const found = starModes.find((name) => name === mode);
  if (found === undefined) throw new Error(`${mode} is none of ${starModes.join(", ")}`);
  return found;
}
