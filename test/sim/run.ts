import { perform } from "./act.ts";
import { faultsOf } from "./check/all.ts";
import type { Fault } from "./check/fault.ts";
import type { Planted } from "./deployer.ts";
import { CHAOS_MS, type Plan, planOf } from "./plan.ts";
import { World } from "./world.ts";

/** How long it may take after the faults have ended until everything is right, in milliseconds. */
const LIVENESS_MS = 45 * 60_000;
const LOOK_MS = 20_000;

export interface Outcome {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly lines: readonly string[];
  readonly starts: number;
  readonly moves: number;
}

/** Runs a seed: faults for a while, then none, until everything is at rest; then the checkers read what happened. */
export const runSeed = (seed: number, planted: Planted = {}): Promise<Outcome> => runPlan(planOf(seed), planted);

export async function runPlan(plan: Plan, planted: Planted = {}): Promise<Outcome> {
  const world = new World(plan, planted);
  const { clock, history } = world;
  for (const { atMs, act } of plan.acts) clock.after(atMs, () => perform(world, act));
  world.start();
  await clock.advance(CHAOS_MS);
  await calm(world, plan.lastPush);
  const endMs = clock.now() + LIVENESS_MS;
  await clock.advance(LOOK_MS);
  while (clock.now() < endMs && !atRest(world)) await clock.advance(LOOK_MS);
  if (atRest(world)) await clock.advance(2 * 60_000); // what is late may still come
  while (clock.now() < endMs && !atRest(world)) await clock.advance(LOOK_MS);
  world.look();
  const faults = faultsOf(world, plan, atRest(world));
  world.up?.kill("the simulation ends");
  const moves = history.landings.filter(({ replaced }) => replaced).length;
  return { seed: plan.seed, faults, lines: history.lines, starts: world.processes.length, moves };
}

/** No more faults: everything answers, nothing is held, and the process that is down is started. */
async function calm(world: World, lastPush: boolean): Promise<void> {
  const { history, clock, disk, outside, swarms, forge, shape } = world;
  history.note("no more faults");
  world.calm = true;
  outside.calm();
  swarms.mishaps.length = 0;
  disk.free();
  disk.broken = false;
  for (const one of world.processes) one.death = undefined;
  await clock.until(() => world.up?.view !== undefined);
  void world.up?.view?.act.confirm("none", "Ann");
  if (lastPush) for (const branch of shape.branches) forge.push(branch, "good");
}

/** Nothing is under way, neither in the product nor in the world, and nothing is about to be tried again. */
function atRest({ up, swarms, shape, forge }: World): boolean {
  if (up?.view === undefined || up.pipeline === undefined) return false;
  const { engine, pipeline, view } = up;
  // While a branch is gone, or cannot be built, what was sent before waits: whether it is still wanted is not known.
  const waits = new Set(view.services().flatMap(({ term, wanted }) => (wanted === undefined ? [term] : [])));
  return (
    shape.branches.every((branch) => forge.isKnown(branch, engine.heads.get(`heads ${branch.url}`)?.value)) &&
    [...engine.jobs.open.values()].every(({ row }) => waits.has(row.term)) &&
    engine.store.queries.openIntents().every(({ term }) => waits.has(term)) &&
    pipeline.services.every((service) => service.asleep()) &&
    view.graph().nodes.every(({ failure }) => failure?.retryAtMs === undefined) &&
    [...swarms.services.values()].every(({ moving }) => !moving)
  );
}
