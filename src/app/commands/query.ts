import { ask, withQuery } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { fieldsOf, listOf } from "../fields.ts";
import { printJobs } from "../job-text.ts";

/** Past and present jobs, newest first. */
export const query: CommandSpec = {
  name: "query",
  arguments: "",
  summary: "search all jobs, newest first",
  flags: ["op", "jobState", "term", "date", "text", "limit", "url", "state", "tokenFile", "json"],
  run: (call) =>
    ask(
      call,
      (client) =>
        client.get(
          withQuery("jobs", {
            op: call.given.text("op"),
            state: call.given.text("jobState"),
            term: call.given.text("term"),
            date: call.given.text("date"),
            text: call.given.text("text"),
            limit: call.given.number("limit"),
          }),
        ),
      (answer) => {
        const found = listOf(fieldsOf(answer)["jobs"]);
        if (found.length === 0) call.io.out("no such jobs");
        printJobs(call.io, found);
      },
    ),
};
