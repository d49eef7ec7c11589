import { memoryUsage } from "node:process";
import type { Deployer } from "./deployer.ts";
import type { Plan } from "./plan.ts";
import { World } from "./world.ts";

const PUSH_EVERY_MS = 60_000;

/** What is kept after so many pushes. */
export interface Sample {
  readonly pushes: number;
  /** After a collection, when the process lets us ask for one. */
  readonly heapBytes: number;
  /** How many things the product keeps, by kind. */
  readonly kept: Readonly<Record<string, number>>;
}

/**
 * One process of the product and many pushes that each go through to the service, nothing amiss.
 *
 * @param every A sample is taken after so many pushes. What the fakes keep is dropped before.
 */
export async function soak(pushes: number, every: number): Promise<readonly Sample[]> {
  const plan: Plan = { seed: 1, shape: 0, acts: [], lastPush: false };
  const world = new World(plan, {});
  world.start();
  const [branch] = world.shape.branches;
  const { up } = world;
  if (branch === undefined || up === undefined) throw new Error("there is nothing to push to");
  const samples: Sample[] = [];
  for (let n = 1; n <= pushes; n += 1) {
    world.forge.push(branch, "good");
    await world.clock.until(() =>
      world.swarms.services.get("swarm/alpha/web")?.steady?.endsWith(world.forge.wanted(branch)),
    );
    await world.clock.advance(PUSH_EVERY_MS);
    if (n % every > 0) continue;
    forget(world, up);
    globalThis.gc?.();
    samples.push({ pushes: n, heapBytes: memoryUsage().heapUsed, kept: keptBy(up) });
  }
  return samples;
}

/** What one push leaves in memory, between the first sample and the last. */
export function bytesPerPush(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || first === last) return Number.NaN;
  return (last.heapBytes - first.heapBytes) / (last.pushes - first.pushes);
}

function forget(world: World, up: Deployer): void {
  world.history.forget();
  world.ledger.forget();
  world.forge.forgetPushes();
  world.builds.prune();
  world.builds.forget();
  up.logs.forget();
}

function keptBy({ engine, view }: Deployer): Sample["kept"] {
  return {
    "keys in memory": engine.cache.size,
    "results of other keys": engine.cache.rested,
    "open jobs": engine.jobs.open.size,
    "readers of steps": engine.steps.observers.length,
    "readers of job changes": engine.jobs.changes.observers.length,
    "readers of the threshold": engine.confirm.changes.observers.length,
    terms: engine.world.terms.size,
    boxes: view?.graph().nodes.length ?? 0,
  };
}
