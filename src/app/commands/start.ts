import { actOnJob } from "../ask.ts";
import type { CommandSpec } from "../command.ts";

/** Lets a job go that the confirm threshold holds. */
export const start: CommandSpec = {
  name: "start",
  arguments: "<id>",
  summary: "start a job that waits for a person",
  flags: ["why", "url", "state", "tokenFile", "json"],
  run: (call) => actOnJob(call, "start", "started"),
};
