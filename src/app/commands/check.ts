import { checkApp } from "../check-app.ts";
import { checkWorld } from "../check-world.ts";
import type { Call, CommandSpec } from "../command.ts";
import type { Exit } from "../exit.ts";
import { githubFlags } from "../flags.ts";
import { githubAccess } from "../github-access.ts";
import { dockerHostOf, invalid, type OpenPipeline, openPipeline, registryAuthOf } from "../prepare.ts";
import { report, reportProblems } from "../report.ts";

/** Validates `pipeline.ts`, and what it names. */
export const check: CommandSpec = {
  name: "check",
  arguments: "",
  summary: "validate pipeline.ts, and that what it names exists",
  details: "Branches, Dockerfiles, services and registries are asked for; nothing is changed. Exits 65 with problems.",
  flags: ["pipeline", "offline", "registryAuth", "dockerHost", ...githubFlags],
  async run(call: Call): Promise<Exit> {
    const opened = await openPipeline(call);
    if (!opened.ok) return report(call.io, opened.error);
    if (!call.given.has("offline")) {
      const exit = await checkOutside(call, opened.value);
      if (exit !== "done") return exit;
    }
    call.io.out(`${call.io.paint("green", "ok:")} ${summary(opened.value)}`);
    return "done";
  },
};

async function checkOutside(call: Call, { deployer, pipeline }: OpenPipeline): Promise<Exit> {
  const { openWorld } = await import("../open-world.ts");
  const github = githubAccess(call);
  if (!github.ok) return report(call.io, github.error);
  const reached = { dockerHost: dockerHostOf(call), ...registryAuthOf(call), github: github.value };
  const opened = await openWorld({ pipeline, ...reached });
  if (!opened.ok) return report(call.io, opened.error);
  try {
    const app = await checkApp(deployer, opened.value);
    const problems = [...(await checkWorld(deployer, opened.value)), ...app.problems];
    for (const note of app.notes) call.io.err(`${call.io.paintErr("yellow", "note:")} ${note}`);
    reportProblems(call.io, problems);
    return problems.length === 0 ? "done" : report(call.io, invalid(pipeline, problems));
  } finally {
    await opened.value[Symbol.asyncDispose]();
  }
}

function summary({ deployer }: OpenPipeline): string {
  const flavours = Object.values(deployer.flavours);
  const sources = flavours.flatMap(({ repos }) => Object.values(repos));
  const publishes = sources.flatMap(({ builds }) => builds.flatMap(({ branches }) => Object.values(branches)));
  const services = publishes.flatMap((publish) => publish.services);
  return [
    count(flavours.length, "flavour"),
    count(sources.length, "repository", "repositories"),
    count(publishes.length, "branch", "branches"),
    count(services.length, "service"),
  ].join(", ");
}

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;
