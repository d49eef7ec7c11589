import type { Plan } from "../plan.ts";
import type { World } from "../world.ts";
import { duplicates } from "./duplicate.ts";
import type { Fault } from "./fault.ts";
import { losses } from "./lost.ts";
import { leaks } from "./secret.ts";
import { staleness } from "./stale.ts";
import { shownAtTheEnd, shownFalsely } from "./truth.ts";

/** What the checkers find in a run that has ended. */
export function faultsOf(world: World, plan: Plan, atRest: boolean): readonly Fault[] {
  const { history } = world;
  return [
    ...history.faults.map((what): Fault => ({ checker: what.startsWith("lost") ? "lost" : "program", what })),
    ...(atRest ? [] : [stuck(world)]),
    ...(atRest ? losses(world, plan) : []),
    ...duplicates(world),
    ...staleness(world),
    ...shownFalsely(world),
    ...(atRest ? shownAtTheEnd(world) : []),
    ...leaks(world),
  ];
}

/** What is still under way when everything should be at rest. */
function stuck({ up, history }: World): Fault {
  const jobs = [...(up?.engine.jobs.open.values() ?? [])].map(({ row }) => `${row.id} of ${row.term} ${row.state}`);
  const intents = (up?.engine.store.queries.openIntents() ?? []).map(({ lane, state }) => `${lane} ${state}`);
  const busy = (up?.pipeline?.services ?? []).filter((one) => !one.asleep()).map(({ lane }) => lane);
  const failing = (up?.view?.graph().nodes ?? []).flatMap(({ key, failure }) =>
    failure?.retryAtMs === undefined ? [] : [`${key} ${failure.code}`],
  );
  const what = [`jobs ${jobs.join(", ")}`, `intents ${intents.join(", ")}`, `busy ${busy.join(", ")}`, ...failing];
  return { checker: "stuck", what: `not at rest after ${history.nowMs} ms: ${what.join("; ")}` };
}
