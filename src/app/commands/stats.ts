import { ask } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { fieldsOf } from "../fields.ts";

const COUNT_WIDTH = 8;

/** How many boxes of the graph are in which state. */
export const stats: CommandSpec = {
  name: "stats",
  arguments: "",
  summary: "count the boxes of the graph by state",
  flags: ["url", "state", "tokenFile", "json"],
  run: (call) =>
    ask(
      call,
      (client) => client.get("stats"),
      (answer) => {
        for (const [state, count] of Object.entries(fieldsOf(answer))) {
          if (typeof count === "number") call.io.out(`${String(count).padStart(COUNT_WIDTH)}  ${state}`);
        }
      },
    ),
};
