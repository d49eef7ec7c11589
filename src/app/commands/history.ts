import { ask, withQuery } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { listOf, textOf } from "../fields.ts";
import { stateText } from "../job-text.ts";
import { safeText } from "../safe-text.ts";

const nothing = (term: string | undefined): string =>
  term === undefined ? "no deploys yet" : `no deploys of ${safeText(term)}; millrace history lists those of all terms`;

/** Past deploys, newest first. */
export const history: CommandSpec = {
  name: "history",
  arguments: "[term]",
  summary: "list past deploys, newest first",
  flags: ["limit", "url", "state", "tokenFile", "json"],
  run: (call) =>
    ask(
      call,
      (client) => client.get(withQuery("history", { term: call.args[0], limit: call.given.number("limit") })),
      (answer) => {
        const deploys = listOf(answer);
        if (deploys.length === 0) call.io.out(nothing(call.args[0]));
        for (const deploy of deploys) {
          const { io } = call;
          io.out(
            `${stateText(io, textOf(deploy, "state"))}${textOf(deploy, "created") ?? ""}  ${textOf(deploy, "term") ?? ""}`,
          );
          const evidence = textOf(deploy, "evidence");
          if (evidence !== undefined) io.out(`  ${safeText(evidence)}`);
          io.out(`  job ${textOf(deploy, "job") ?? ""}`);
        }
      },
    ),
};
