import { graphJson, jobJson, serviceJson } from "../../../src/web/api/json.ts";
import { canaries } from "../canary.ts";
import type { World } from "../world.ts";
import type { Fault } from "./fault.ts";

/** No secret in the database, in a log, or in what pages show. */
export function leaks(world: World): readonly Fault[] {
  const view = world.up?.view;
  const sinks: readonly (readonly [string, string])[] = [
    ["the database", world.disk.bytes.toString("latin1")],
    ["a log", world.processes.map(({ logs }) => logs.all()).join("\n")],
    ["the graph", view === undefined ? "" : JSON.stringify(graphJson(view.graph()))],
    ["the services", JSON.stringify(view?.services().map((one) => serviceJson(one)) ?? [])],
    ["the jobs", JSON.stringify(view?.jobs({ limit: 1_000 }).map((one) => jobJson(one)) ?? [])],
    ["what was shown", world.history.shown.map(({ detail }) => detail).join("\n")],
  ];
  return sinks.flatMap(([where, text]) => {
    const found = canaries.find((canary) => text.includes(canary));
    return found === undefined ? [] : [{ checker: "secret" as const, what: `${found} in ${where}` }];
  });
}
