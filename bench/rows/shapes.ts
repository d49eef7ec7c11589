import { spawnSync } from "node:child_process";
import { loadEngine, type Start } from "../engines/engine.ts";
import { Arithmetic, oracle } from "../graph/arithmetic.ts";
import { chain, comb, ladder, type Plan } from "../graph/plan.ts";
import { median } from "../maths.ts";
import { type Figures, outcomeIn, type Task } from "../task.ts";
import { US_A_MS, wallMs } from "./meter.ts";

const CHANGES = 21;
/** RxJS doubles with every diamond: what takes longer is not repeated. */
const PATIENCE_MS = 2_000;
const DEPTHS = [100, 200, 500, 1_000, 1_500, 2_000, 3_000, 4_000, 6_000, 8_000, 12_000, 16_000, 30_000, 100_000];

/** A ladder, comb or chain of one size: time of a change, runs of its root, and how often a cell saw mixed inputs. */
export async function measureShape(task: Task): Promise<Figures> {
  return changeOften(await loadEngine(task.engine), planOf(task));
}

/**
 * How long a chain may be before the engine fails, or leaves its root stale without a word. Each length is tried in a
 * process of its own: code that has run for a while needs less stack, and a chain has to be right after a restart too.
 */
export async function measureDepth(task: Task): Promise<Figures> {
  let deepest = 0;
  for (const depth of DEPTHS) {
    if (depth > task.size || !works({ ...task, work: "shape", mode: "chain", size: depth })) break;
    deepest = depth;
  }
  return { deepest };
}

function works(task: Task): boolean {
  const [, program = ""] = process.argv;
  const { stdout } = spawnSync(process.execPath, ["--expose-gc", program, JSON.stringify(task)], { encoding: "utf8" });
  return outcomeIn(stdout)?.ok === true;
}

/** @throws {Error} when the root is stale at the end. */
function changeOften(start: Start, plan: Plan): Figures {
  const arithmetic = new Arithmetic();
  const graph = start(plan, arithmetic);
  const built = { mixed: arithmetic.mixed, told: graph.told };
  const times: number[] = [];
  let value = 100;
  let spentMs = 0;
  while (times.length < CHANGES && spentMs < PATIENCE_MS) {
    value += 1;
    const ms = wallMs(() => graph.set(0, value));
    times.push(ms);
    spentMs += ms;
  }
  const want = oracle(plan, [value]);
  if (graph.root !== want) throw new Error(`stale root: ${graph.root}, and not ${want}`);
  graph.stop();
  return {
    changeUs: median(times) * US_A_MS,
    told: (graph.told - built.told) / times.length,
    mixed: (arithmetic.mixed - built.mixed) / times.length,
    ...(times.length === CHANGES ? { root: graph.root } : {}), // fewer changes end at another value
  };
}

const shapes: Readonly<Record<string, (size: number) => Plan>> = { ladder, comb, chain };

function planOf({ mode = "", size }: Task): Plan {
  const make = shapes[mode];
  if (make === undefined) throw new Error(`${mode} is none of ${Object.keys(shapes).join(", ")}`);
  return make(size);
}
