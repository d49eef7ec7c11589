import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Case } from "./cases.ts";
import { type EngineName } from "./engines/engine.ts";
import { loadNow } from "./machine.ts";
import { type Outcome, outcomeIn, type Task } from "./task.ts";

/** One measurement as it came out. */
export interface Sample {
  readonly of: string;
  readonly engine: EngineName;
  readonly outcome: Outcome;
}

export interface RunOptions {
  readonly quick: boolean;
  /** Of processes a case; default: as the case says. */
  readonly repeat?: number;
  /** The compiled `measure.js`. */
  readonly program: string;
  /** Told before each measurement. */
  readonly progress: (done: number, total: number, what: string) => void;
}

const TIMEOUT_MS = 180_000;
const STDERR_CHARS = 300;

/** Runs everything, one process at a time. Engines take turns, so that a change of the machine's mood meets all. */
export async function runAll(cases: readonly Case[], options: RunOptions): Promise<readonly Sample[]> {
  const order = plan(cases, options);
  const samples: Sample[] = [];
  for (const [done, { of, task }] of order.entries()) {
    options.progress(done, order.length, `${of}, ${task.engine}`);
    samples.push({ of, engine: task.engine, outcome: await inProcess(options.program, task) });
  }
  options.progress(order.length, order.length, "done");
  return samples;
}

interface Planned {
  readonly of: string;
  readonly task: Task;
}

/** Round by round, and in each round the engines of a case next to each other. */
export function plan(
  cases: readonly Case[],
  { quick, repeat }: Pick<RunOptions, "quick" | "repeat">,
): readonly Planned[] {
  const timesOf = ({ repeats }: Case): number =>
    quick ? Math.min(repeats.quick, repeat ?? 9) : (repeat ?? repeats.full);
  const rounds = Math.max(0, ...cases.map(timesOf));
  return Array.from({ length: rounds }, (_, round) => round).flatMap((round) =>
    cases
      .filter((one) => round < timesOf(one))
      .flatMap(({ id, task, engines }) => engines.map((engine) => ({ of: id, task: { ...task, engine, quick } }))),
  );
}

/** A fresh process for one measurement. What goes wrong in it is an outcome too. */
async function inProcess(program: string, task: Task): Promise<Outcome> {
  const argv = ["--expose-gc", program, JSON.stringify(task)];
  // MobX chooses its build by NODE_ENV; it is the fast one that counts.
  const env = { ...process.env, NODE_ENV: "production" };
  const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "pipe", "pipe"], timeout: TIMEOUT_MS });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (err += text));
  await once(child, "close");
  const told = outcomeIn(out);
  if (told !== undefined) return told;
  const why = child.signalCode === null ? `exit ${child.exitCode}` : `ended by ${child.signalCode}`;
  return { ok: false, error: `${why}: ${err.trim().slice(-STDERR_CHARS)}`, load: loadNow() };
}
