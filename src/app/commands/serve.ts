import type { Call, CommandSpec } from "../command.ts";
import type { Exit } from "../exit.ts";
import { githubFlags } from "../flags.ts";
import { serveOptions } from "../prepare.ts";
import { report } from "../report.ts";
import { runUntilStopped } from "../run.ts";

/** The service: engine, effects and pages, until it is told to stop. */
export const serve: CommandSpec = {
  name: "serve",
  arguments: "",
  summary: "run one flavour of pipeline.ts, with its pages",
  details: "SIGTERM or Ctrl-C stops it in order; what was being deployed is taken up again at the next start.",
  flags: [
    "flavour",
    "pipeline",
    "state",
    "host",
    "port",
    "trustProxy",
    "confirm",
    "confirmAutoRelease",
    "registryAuth",
    "dockerHost",
    "untrustedDockerHost",
    ...githubFlags,
    "githubSecret",
    "githubOauth",
    "read",
    "slack",
    "webhook",
    "mail",
    "verbose",
  ],
  async run(call: Call): Promise<Exit> {
    const options = await serveOptions(call);
    if (!options.ok) return report(call.io, options.error);
    const { startServer } = await import("../wire.ts");
    const running = await startServer(options.value);
    if (!running.ok) return report(call.io, running.error);
    return runUntilStopped(call, options.value, running.value);
  },
};
