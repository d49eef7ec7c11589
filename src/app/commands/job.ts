import { askJob } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { printJob } from "../job-text.ts";

/** Everything of one job but its log. */
export const job: CommandSpec = {
  name: "job",
  arguments: "<id>",
  summary: "show one job: its state, times, inputs and error",
  flags: ["url", "state", "tokenFile", "json"],
  run: (call) =>
    askJob(
      call,
      (client, path) => client.get(path),
      (answer) => printJob(call.io, answer),
    ),
};
