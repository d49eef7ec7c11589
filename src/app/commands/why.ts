import { askJob } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { printJobs, printWhy } from "../job-text.ts";

/** Why a job ran. */
export const why: CommandSpec = {
  name: "why",
  arguments: "<id>",
  summary: "say why a job ran: what happened outside, and which inputs changed",
  flags: ["url", "state", "tokenFile", "json"],
  run: (call) =>
    askJob(
      call,
      (client, path) => client.get(path),
      (answer) => {
        printJobs(call.io, [answer]);
        printWhy(call.io, answer);
      },
    ),
};
