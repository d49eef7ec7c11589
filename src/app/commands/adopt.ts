import { ask, whyIn } from "../ask.ts";
import type { CommandSpec } from "../command.ts";

/** Accepts what is on a target that is held because somebody else moved it. */
export const adopt: CommandSpec = {
  name: "adopt",
  arguments: "<term>",
  summary: "accept what is on a held target, and go on from there",
  flags: ["why", "url", "state", "tokenFile", "json"],
  run: (call) =>
    ask(
      call,
      (client) => client.send("POST", "terms/adopt", { term: call.args[0], ...whyIn(call) }),
      () => call.io.out("adopted"),
    ),
};
