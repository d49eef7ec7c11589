import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClock } from "../../src/engine/clock.ts";
import { Engine } from "../../src/engine/engine.ts";
import { LogFiles, logPath, MARK } from "../../src/engine/job-log.ts";
import { openStore } from "../../src/engine/store/open.ts";

/**
 * A process in which jobs run while there is no file handle left for their logs: to be started where their number is
 * limited. Says for each job how it ended and what its log holds.
 */
const dir = mkdtempSync(join(tmpdir(), "millrace-handles-"));
const clock = createClock();
const onFatal = ({ code }: { readonly code: string }): void => say(`fatal ${code}`);
const opened = await openStore({ dir, writer: "inline", onFatal, clock });
if (!opened.ok) throw new Error(opened.error.message);
const logs = new LogFiles(dir, clock);
const engine = new Engine({ clock, store: opened.value, logs });
const taken: number[] = [];
const OURS = new RegExp(`${MARK}[^:]*:\\d\\d:[\\d.]*: `, "g");
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function exhaust(): void {
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // now there is none left
  }
}

function free(): void {
  for (const handle of taken.splice(0)) closeSync(handle);
}

/** `meanwhile` is called while the job is at work, between its first lines and its end. */
async function job(op: string, meanwhile: () => void): Promise<void> {
  const about = { op, term: op, key: "k", description: op, level: "average", inputs: {}, build: 1 } as const;
  const made = engine.jobs.create(about);
  await made.start({ level: "average" });
  await logs.size(logPath(made.id)); // hands over what is buffered
  meanwhile();
  made.write("output\n");
  await made.end(undefined);
  free();
  const state = opened.ok ? opened.value.queries.job(made.id)?.state : undefined;
  say(`${op} ${state} ${JSON.stringify(text(made.id))}`);
}

function text(id: string): string {
  try {
    return readFileSync(join(dir, logPath(id)), "utf8").replaceAll(OURS, "");
  } catch {
    return "none";
  }
}

exhaust();
await job("without", () => {});
exhaust();
await job("later", free);
await job("with", () => {});
await opened.value.close();
rmSync(dir, { recursive: true });
