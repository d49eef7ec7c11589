import { during } from "../history.ts";
import type { World } from "../world.ts";
import type { Fault } from "./fault.ts";

/** A target is looked at each minute: so old may be what is shown of it, in milliseconds. */
const PERIOD_MS = 90_000;

/** What was ever shown as ok ran there, not longer ago than a period. */
export function shownFalsely({ history }: World): readonly Fault[] {
  return history.shown.flatMap(({ atMs, lane, state, running }): Fault[] => {
    if (state !== "ok" || during(history.steady, lane, atMs - PERIOD_MS, atMs).includes(running)) return [];
    return [{ checker: "truth", what: `${lane} at ${atMs} was shown as ok with ${running}, which did not run` }];
  });
}

/** At rest the pages say what runs, and ok only of what is wanted. */
export function shownAtTheEnd(world: World): readonly Fault[] {
  const { swarms, builds, up } = world;
  const faults: Fault[] = [];
  for (const { kind, host, name, state, running, wanted } of up?.view?.services() ?? []) {
    const lane = kind === "swarm" ? `swarm/${host}/${name}` : `registry-tag/${name}`;
    const service = swarms.services.get(lane);
    const real = kind === "swarm" ? service?.image : builds.tags.get(name);
    const say = (what: string): void => void faults.push({ checker: "truth", what: `${lane} in the end: ${what}` });
    if (running !== real) say(`it is shown to run ${running}, and runs ${real}`);
    if (state === "ok" && wanted !== real) say(`ok, though ${wanted} is wanted and ${real} runs`);
    if (state === "ok" && service !== undefined && service.steady === undefined) say("ok, though its tasks do not run");
    if (state !== "ok" && state !== "failed" && state !== "blocked")
      say(`it is shown as ${state}, and nothing is under way`);
  }
  return faults;
}
