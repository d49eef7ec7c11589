// npm run bench: Millrace and its rivals at the same work, in one command. doc/performance.md says what the rows mean.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { need } from "../test/support/need.ts";
import { type Case, chosen } from "./cases.ts";
import { disagreements } from "./compare.ts";
import { type Flags, parseFlags, USAGE } from "./flags.ts";
import { thisMachine } from "./machine.ts";
import { prepare } from "./prepare.ts";
import { plotSvg } from "./report/plot.ts";
import { type Report, reportIn, reportJson, reportOf } from "./report/report.ts";
import { reportText } from "./report/text.ts";
import { runAll } from "./run.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(argv: readonly string[]): Promise<number> {
  const flags = parseFlags(argv);
  if (flags === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  const report = flags.from === undefined ? await measure(flags) : reportIn(readFileSync(flags.from, "utf8"));
  write(report, flags);
  process.stdout.write(reportText(report));
  const failed = report.samples.some(({ engine, outcome }) => engine === "millrace" && !outcome.ok);
  return failed || disagreements(report.samples).length > 0 ? 1 : 0;
}

async function measure(flags: Flags): Promise<Report> {
  const program = prepare(say);
  const machine = thisMachine(new Date());
  const start = performance.now();
  const progress = (done: number, total: number, what: string): void =>
    say(`${String(done).padStart(3)}/${total}  ${Math.round((performance.now() - start) / 1_000)} s  ${what}`);
  const { quick, only, repeat } = flags;
  const options = { quick, program, progress, ...(repeat === undefined ? {} : { repeat }) };
  return reportOf(machine, quick, await runAll(chosen(only).filter(possible), options));
}

function possible({ id, needs }: Case): boolean {
  if (needs === undefined || need(needs)) return true;
  say(`${id} is left out: there is no ${needs} on this machine`);
  return false;
}

/** What was measured is always kept; what is only shown again, where it is asked for. */
function write(report: Report, { json, plot, from }: Flags): void {
  const name = report.machine.at.slice(0, 19).replaceAll(/[:T]/g, "-");
  const own = from === undefined ? join(import.meta.dirname, "results", `${name}.json`) : undefined;
  const data = json ?? own;
  const picture = plot ?? own?.replace(/\.json$/, ".svg");
  if (data !== undefined) put(data, reportJson(report));
  if (picture !== undefined) put(picture, plotSvg(report));
}

function put(file: string, text: string): void {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, text);
  say(`wrote ${file}`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(`npm run bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
