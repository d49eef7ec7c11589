import { Command, CommanderError } from "commander";
import type { CommandSpec } from "./command.ts";
import { adopt } from "./commands/adopt.ts";
import { cancel } from "./commands/cancel.ts";
import { check } from "./commands/check.ts";
import { confirm } from "./commands/confirm.ts";
import { docs } from "./commands/docs.ts";
import { dot } from "./commands/dot.ts";
import { history } from "./commands/history.ts";
import { init } from "./commands/init.ts";
import { job } from "./commands/job.ts";
import { jobs } from "./commands/jobs.ts";
import { local } from "./commands/local.ts";
import { log } from "./commands/log.ts";
import { ops } from "./commands/ops.ts";
import { plan } from "./commands/plan.ts";
import { query } from "./commands/query.ts";
import { rebuild } from "./commands/rebuild.ts";
import { receive } from "./commands/receive.ts";
import { serve } from "./commands/serve.ts";
import { start } from "./commands/start.ts";
import { stats } from "./commands/stats.ts";
import { token } from "./commands/token.ts";
import { why } from "./commands/why.ts";
import { type Exit, exits } from "./exit.ts";
import { wantsStack } from "./faults.ts";
import { Given, optionOf, unexplained } from "./flags.ts";
import type { Io } from "./io.ts";
import { reportFault } from "./report.ts";
import { packageVersion } from "./version.ts";

/**
 * Every command, in the order of the help. Those that need an engine load it when they are run, so that the others
 * answer at once.
 */
export const commands: readonly { readonly heading: string; readonly specs: readonly CommandSpec[] }[] = [
  { heading: "Your pipeline:", specs: [init, check, docs] },
  { heading: "Running it:", specs: [serve, local, plan] },
  {
    heading: "A running server:",
    specs: [
      jobs,
      job,
      log,
      why,
      query,
      history,
      rebuild,
      cancel,
      start,
      confirm,
      adopt,
      ops,
      stats,
      dot,
      receive,
      token,
    ],
  },
];

/** Runs one command line; answers with the exit code. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exit: Exit = "usage";
  const program = programOf(io, (result) => {
    exit = result;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exits[exit].code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exits.done.code : exits.usage.code;
    return exits[reportFault(io, error, wantsStack(argv))].code;
  }
}

function programOf(io: Io, done: (exit: Exit) => void): Command {
  const program = prepared(new Command("millrace"), io)
    .description("Keeps images and services equal to what pipeline.ts declares.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpCommand(false)
    .addHelpText("after", `\n${exitText()}\n\nmillrace COMMAND --help tells more.`);
  for (const { heading, specs } of commands) {
    for (const spec of specs) addCommand(program, heading, spec, io, done);
  }
  return program;
}

function addCommand(program: Command, heading: string, spec: CommandSpec, io: Io, done: (exit: Exit) => void): void {
  const command = prepared(program.command(spec.name), io).helpGroup(heading).summary(spec.summary);
  command.description(
    spec.details === undefined ? sentence(spec.summary) : `${sentence(spec.summary)} ${spec.details}`,
  );
  if (spec.arguments !== "") command.arguments(spec.arguments);
  for (const flag of spec.flags) command.addOption(optionOf(flag));
  addUnexplained(command, spec);
  command.action(async () => done(await spec.run({ io, args: command.args, given: new Given(command.opts()) })));
}

/** The help of a command fits a screen: flags that most people do without are named there, and explained by another. */
function addUnexplained(command: Command, { flags }: CommandSpec): void {
  const names = unexplained(flags);
  if (names.length === 0) return;
  let all = false;
  command.addHelpText("after", () => (all ? "" : wrapped(`\nMore, which --help-all explains: ${names.join(", ")}`)));
  command.option("--help-all", "explain every flag");
  command.on("option:help-all", () => {
    all = true;
    for (const option of command.options) option.hideHelp(false);
    command.help();
  });
}

const COLUMNS = 80;

/** Further lines are indented by two. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line.length + word.length + 1 > COLUMNS) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

/** Commander's own messages in our form, and thrown instead of ending the process. */
function prepared(command: Command, io: Io): Command {
  return command
    .exitOverride()
    .showHelpAfterError(false)
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => io.write(text),
      writeErr: (text) => io.err(text.trimEnd()),
      outputError: (text, write) => write(usageText(io, text, command.name())),
    });
}

function usageText(io: Io, text: string, name: string): string {
  const [message = "", ...more] = text
    .replace(/^error: /, "")
    .trim()
    .split("\n");
  const help = name === "millrace" ? "millrace --help" : `millrace ${name} --help`;
  const lines = [`${io.paintErr("red", "millrace:")} ${message}`, ...more.map((line) => `  ${line}`), `  See: ${help}`];
  return lines.join("\n");
}

const sentence = (summary: string): string => `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;

const exitText = (): string =>
  ["Exit codes:", ...Object.values(exits).map(({ code, means }) => `  ${String(code).padEnd(4)}${means}`)].join("\n");
