import { digestOf } from "../forge.ts";
import type { Plan } from "../plan.ts";
import { type Followed, isOf, laneOf, tagLaneOf } from "../shapes.ts";
import type { World } from "../world.ts";
import type { Fault } from "./fault.ts";

/** In the end the newest wanted value runs, unless it cannot, or a person wanted it otherwise. */
export function losses(world: World, plan: Plan): readonly Fault[] {
  const faults: Fault[] = [];
  for (const followed of world.shape.branches) {
    const head = world.forge.head(followed);
    if (head === undefined) continue;
    const digest = digestOf(head.tree);
    const quality = world.forge.quality(head.tree);
    const lanes = [tagLaneOf(followed), ...followed.services.map((one) => laneOf(one))];
    for (const lane of lanes) {
      const service = world.swarms.services.get(lane);
      const runs = service === undefined ? world.builds.tags.get(tagOf(lane)) : service.steady?.split("@")[1];
      const excuse = plan.lastPush ? undefined : excuseOf(world, followed, lane, quality);
      if (runs === digest || excuse !== undefined) continue;
      const shown = world.history.shown.findLast((one) => one.lane === lane);
      const what = `${lane} runs ${runs}, and not ${digest}: it is shown as ${shown?.state}, ${shown?.detail}`;
      faults.push({ checker: "lost", what });
    }
  }
  return faults;
}

const tagOf = (lane: string): string => lane.replace(/^registry-tag\//, "");

/** Why the newest value may rightly not run. */
function excuseOf({ history }: World, followed: Followed, lane: string, quality: string) {
  if (quality === "unbuildable") return "it cannot be built";
  if (quality === "crashing" && !lane.startsWith("registry-tag/")) return "it does not get healthy";
  const excuses = ["hand image", "cancel"];
  return history.people.find((act) => isOf(act, lane, followed) && excuses.includes(act.value ?? ""))?.value;
}
