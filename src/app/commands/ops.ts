import { ask } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { safeText } from "../safe-text.ts";

/** The operations, as `query --op` takes them. */
export const ops: CommandSpec = {
  name: "ops",
  arguments: "",
  summary: "list the operations that have jobs",
  flags: ["url", "state", "tokenFile", "json"],
  run: (call) =>
    ask(
      call,
      (client) => client.get("operations"),
      (answer) => {
        const names = Array.isArray(answer) ? answer.map(String) : [];
        if (names.length === 0) call.io.out("no job has run yet");
        for (const name of names) call.io.out(safeText(name));
      },
    ),
};
