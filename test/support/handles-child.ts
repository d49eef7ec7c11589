import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClock } from "../../src/engine/clock.ts";
import { checkout, createGit } from "../../src/plugins/git/index.ts";
import { testJob } from "./job.ts";

/**
 * A process that checks a commit out again and again, with more and more file handles left: to be started where their
 * number is limited. Arguments: repository, commit, the file to be read from it. It says how each attempt ended: the
 * file's content or the code of the failure.
 */
const [, , url = "", commit = "", file = ""] = process.argv;

const clock = createClock();
const taken: number[] = [];
const dir = mkdtempSync(join(tmpdir(), "millrace-handles-"));
const options = { includeGit: false, submodules: true } as const;

async function attempt(state: string): Promise<string> {
  const made = await checkout(createGit(state, clock), { url }, commit, options, testJob());
  for (const handle of taken.splice(0)) closeSync(handle);
  if (!made.ok) return made.error.code;
  const content = readFileSync(join(made.value.dir, file), "utf8").trim();
  await made.value.dispose();
  return content;
}

function exhaust(): void {
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // now there is none left
  }
}

/** Leaves so many, for as long as there are attempts. */
for (let left = 0; left <= 30; left += 2) {
  const state = join(dir, left % 4 === 0 ? "known" : `new-${left}`);
  exhaust();
  for (const handle of taken.splice(0, left)) closeSync(handle);
  const ended = await attempt(state);
  writeSync(1, `${left} ${ended}\n`);
}
rmSync(dir, { recursive: true, force: true });
