import type { Call, CommandSpec } from "../command.ts";
import type { Exit } from "../exit.ts";
import { githubFlags } from "../flags.ts";
import type { Running } from "../options.ts";
import { planFailed, printPlan } from "../plan-text.ts";
import { localOptions } from "../prepare.ts";
import { report } from "../report.ts";
import { runUntilStopped } from "../run.ts";

/** A deployer for one person: no statuses, no messages; with `--confirm=harmless` a dry run. */
export const local: CommandSpec = {
  name: "local",
  arguments: "[owner/name]",
  summary: "the same for one person: no statuses, no messages",
  details: "With --confirm=harmless nothing is changed anywhere: it prints what it would do and keeps the pages up.",
  flags: [
    "flavour",
    "pipeline",
    "state",
    "host",
    "port",
    "confirm",
    "confirmAutoRelease",
    "once",
    "registryAuth",
    "dockerHost",
    ...githubFlags,
    "verbose",
  ],
  async run(call: Call): Promise<Exit> {
    const options = await localOptions(call);
    if (!options.ok) return report(call.io, options.error);
    const { startLocal } = await import("../wire.ts");
    const once = call.given.has("once");
    // Nobody looks at the pages of a run that ends by itself: any free port will do.
    const running = await startLocal(once ? { ...options.value, port: 0 } : options.value);
    if (!running.ok) return report(call.io, running.error);
    if (once) return runOnce(call, running.value);
    if (options.value.confirm === "harmless") void printWhenSettled(call, running.value);
    return runUntilStopped(call, options.value, running.value);
  },
};

async function runOnce(call: Call, running: Running): Promise<Exit> {
  const plan = await Promise.race([running.settled(), running.done]);
  if ("ok" in plan) return plan.ok ? "done" : report(call.io, plan.error);
  printPlan(call.io, plan);
  await running.stop("--once");
  const done = await running.done;
  if (!done.ok) return report(call.io, done.error);
  return planFailed(plan) ? "failed" : "done";
}

async function printWhenSettled(call: Call, running: Running): Promise<void> {
  printPlan(call.io, await running.settled());
}
