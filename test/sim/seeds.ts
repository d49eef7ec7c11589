import { failureText } from "./report.ts";
import { runSeed } from "./run.ts";

/** How long five hundred seeds may take on a busy machine, in milliseconds. */
export const SEEDS_LIMIT_MS = 600_000;

/** Runs seeds; what failed, and how much went on in them. */
export async function runSeeds(from: number, count: number) {
  const total = { failures: [] as string[], starts: 0, moves: 0 };
  for (let seed = from; seed < from + count; seed += 1) {
    const outcome = await runSeed(seed);
    if (outcome.faults.length > 0) total.failures.push(failureText(outcome));
    total.starts += outcome.starts;
    total.moves += outcome.moves;
  }
  return total;
}
