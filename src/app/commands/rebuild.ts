import { actOnJob } from "../ask.ts";
import type { CommandSpec } from "../command.ts";

/** Runs a job's operation again, although its inputs are the same. */
export const rebuild: CommandSpec = {
  name: "rebuild",
  arguments: "<id>",
  summary: "run a job again",
  flags: ["why", "url", "state", "tokenFile", "json"],
  run: (call) => actOnJob(call, "rebuild", "runs again"),
};
