import { actOnJob } from "../ask.ts";
import type { CommandSpec } from "../command.ts";

/** Ends a job that runs or waits. */
export const cancel: CommandSpec = {
  name: "cancel",
  arguments: "<id>",
  summary: "end a job that runs or waits",
  details: "A deploy that has been sent is not cancelled: it is watched until it ends.",
  flags: ["why", "url", "state", "tokenFile", "json"],
  run: (call) => actOnJob(call, "cancel", "cancelled"),
};
