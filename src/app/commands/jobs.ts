import { ask } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { fieldsOf, listOf } from "../fields.ts";
import { printJobs } from "../job-text.ts";

/** What is at work or waits. */
export const jobs: CommandSpec = {
  name: "jobs",
  arguments: "",
  summary: "list the jobs that run or wait",
  flags: ["url", "state", "tokenFile", "json"],
  run: (call) =>
    ask(
      call,
      (client) => client.get("jobs?open=true"),
      (answer) => {
        const open = listOf(fieldsOf(answer)["jobs"]);
        if (open.length === 0) call.io.out("no jobs run or wait");
        printJobs(call.io, open);
      },
    ),
};
