import type { Fault } from "./check/fault.ts";
import type { Planted } from "./deployer.ts";
import { type Plan, planOf } from "./plan.ts";
import { runPlan, runSeed } from "./run.ts";

export interface Found {
  readonly seed: number;
  readonly faults: readonly Fault[];
}

/** The first of the seeds 1 to `seeds` in which a fault of the given kinds is found. */
export async function find(
  seeds: number,
  planted: () => Planted,
  noticed: (fault: Fault) => boolean,
): Promise<Found | undefined> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const faults = (await runSeed(seed, planted())).faults.filter(noticed);
    if (faults.length > 0) return { seed, faults };
  }
  return undefined;
}

/** The shortest plan that still fails: one act after the other is left out. */
export async function shrink(seed: number, planted: () => Planted = () => ({})): Promise<Plan> {
  const fails = async (plan: Plan): Promise<boolean> => (await runPlan(plan, planted())).faults.length > 0;
  let plan = planOf(seed);
  for (let at = plan.acts.length - 1; at >= 0; at -= 1) {
    const shorter = { ...plan, acts: plan.acts.filter((_, index) => index !== at) };
    if (await fails(shorter)) plan = shorter;
  }
  return plan;
}
