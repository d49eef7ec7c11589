import { START_MS } from "../../../src/testing/index.ts";
import { during, type Landing } from "../history.ts";
import { laneOf, tagLaneOf } from "../shapes.ts";
import type { World } from "../world.ts";
import type { Fault } from "./fault.ts";

/** How old the reading of the head may be that a write follows, in milliseconds: a fence in between takes up to 30 s. */
const FRESH_MS = 45_000;

/** Never an older generation over a newer one; never a value that was not wanted when it was sent, or was given up. */
export function staleness(world: World): readonly Fault[] {
  const { history, shape } = world;
  const faults: Fault[] = [];
  const intents = world.up?.engine.store.queries.intents({ limit: 1_000 }) ?? [];
  const endedMs = new Map(intents.map((row) => [row.id, (row.endedMs ?? Number.POSITIVE_INFINITY) - START_MS]));
  for (const followed of shape.branches) {
    for (const lane of [tagLaneOf(followed), ...followed.services.map((one) => laneOf(one))]) {
      const branch = `${followed.url} ${followed.branch}`;
      const applied = history.landings.filter((one) => one.lane === lane && one.verb === "apply" && !one.conflict);
      let newest = 0;
      for (const one of applied) {
        const older = one.generation < newest ? `generation ${one.generation} over ${newest}` : undefined;
        const after = one.atMs > (endedMs.get(one.intent) ?? Number.POSITIVE_INFINITY);
        const gone = after ? `intent ${one.intent} had been given up by then` : undefined;
        const what = older ?? gone ?? unwanted(world, branch, one);
        newest = Math.max(newest, one.generation);
        if (what !== undefined) faults.push({ checker: "stale", what: `${lane} at ${one.atMs}: ${what}` });
      }
    }
  }
  return faults;
}

function unwanted({ history }: World, branch: string, { sentMs, image }: Landing): string | undefined {
  const digest = image.replace(/^.*@/, "");
  // What waits for room on the disk goes on with what it knew.
  const waited = history.full.filter(({ fromMs, toMs }) => fromMs <= sentMs && toMs >= sentMs - FRESH_MS);
  const fromMs = Math.min(sentMs, ...waited.map((one) => one.fromMs)) - FRESH_MS;
  return during(history.wanted, branch, fromMs, sentMs).includes(digest) ? undefined : `${digest} was not wanted`;
}
