import { createClock } from "../../engine/clock.ts";
import type { Client } from "../client.ts";
import { openClient } from "../client.ts";
import type { Call, CommandSpec } from "../command.ts";
import type { Exit } from "../exit.ts";
import { jobPath } from "../job-id.ts";
import { report } from "../report.ts";
import { LogPrinter } from "../safe-text.ts";

const LOOK_AGAIN_MS = 500;

/** A job's log, to its end or as it grows. */
export const log: CommandSpec = {
  name: "log",
  arguments: "<id>",
  summary: "print a job's log",
  flags: ["follow", "url", "state", "tokenFile"],
  async run(call: Call): Promise<Exit> {
    const path = jobPath(call.args[0]);
    if (!path.ok) return report(call.io, path.error);
    const client = openClient(call);
    return client.ok ? printLog(call, client.value, path.value) : report(call.io, client.error);
  },
};

async function printLog(call: Call, client: Client, path: string): Promise<Exit> {
  const printer = new LogPrinter(
    (text) => call.io.write(text),
    (line) => call.io.paint("dim", line),
  );
  const clock = createClock();
  let from = 0;
  for (;;) {
    const part = await client.log(path, from);
    if (!part.ok) return report(call.io, part.error);
    printer.add(part.value.text);
    const grew = part.value.next > from;
    from = part.value.next;
    if (grew) continue;
    if (part.value.ended || !call.given.has("follow")) break;
    await clock.sleep(LOOK_AGAIN_MS);
  }
  printer.end();
  return "done";
}
