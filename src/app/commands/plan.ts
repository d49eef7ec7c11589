import type { Call, CommandSpec } from "../command.ts";
import type { Exit } from "../exit.ts";
import { githubFlags } from "../flags.ts";
import { planFailed, planIdle, printPlan } from "../plan-text.ts";
import { planOptions } from "../prepare.ts";
import { report } from "../report.ts";

/** What a server would do now. */
export const plan: CommandSpec = {
  name: "plan",
  arguments: "[owner/name]",
  summary: "what would run, be reused, be held, or is unknown until built",
  details: "Exits 0 when nothing is to be done, 2 when something is, 1 when it cannot be told.",
  flags: ["flavour", "pipeline", "state", "confirm", "json", "registryAuth", "dockerHost", ...githubFlags, "verbose"],
  async run(call: Call): Promise<Exit> {
    const options = await planOptions(call);
    if (!options.ok) return report(call.io, options.error);
    const { makePlan } = await import("../wire.ts");
    const made = await makePlan(options.value);
    if (!made.ok) return report(call.io, made.error);
    if (call.given.has("json")) call.io.out(JSON.stringify(made.value, undefined, 2));
    else printPlan(call.io, made.value);
    if (planFailed(made.value)) return "failed";
    return planIdle(made.value) ? "done" : "changes";
  },
};
