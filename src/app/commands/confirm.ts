import { problem } from "../../engine/errors.ts";
import { isLevel, levels } from "../../engine/level.ts";
import { suggestion } from "../../pipeline/nearest.ts";
import { ask, whyIn } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { fieldsOf, textOf } from "../fields.ts";
import { report } from "../report.ts";

/** Shows or sets the confirm threshold. */
export const confirm: CommandSpec = {
  name: "confirm",
  arguments: "[level]",
  summary: "show the confirm threshold, or set it",
  details: `Jobs at the level and above wait for a person: ${levels.join(", ")}; none holds nothing.`,
  flags: ["why", "url", "state", "tokenFile", "json"],
  async run(call) {
    const [threshold] = call.args;
    if (threshold !== undefined && threshold !== "none" && !isLevel(threshold)) {
      const message = `unknown level "${threshold}". ${suggestion(threshold, [...levels, "none"])}`;
      return report(call.io, problem("USAGE", message));
    }
    return ask(
      call,
      (client) =>
        threshold === undefined ? client.get("confirm") : client.send("PUT", "confirm", { threshold, ...whyIn(call) }),
      (body) => {
        const answer = fieldsOf(body);
        const release = textOf(answer, "autoRelease");
        const until = release === undefined ? "" : `, until ${release}`;
        call.io.out(
          `${textOf(answer, "threshold") ?? "unknown"} (set by ${textOf(answer, "setBy") ?? "nobody"}${until})`,
        );
      },
    );
  },
};
