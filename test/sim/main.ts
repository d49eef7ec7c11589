// npm run sim: the product in a simulated world, seed after seed. doc/reliability.md says what is checked.
import { parseArgs } from "node:util";
import { shrink } from "./find.ts";
import { failureText } from "./report.ts";
import { runSeed } from "./run.ts";
import { bytesPerPush, soak } from "./soak.ts";

const USAGE = `npm run sim -- [flags]

  --seeds N      so many seeds (default 1000)
  --from N       begins at this seed (default 1)
  --seed N       this one seed
  --trace        prints all that happens in it
  --shrink       and the fewest acts with which it still fails
  --soak N       instead: N pushes to one process without faults, and what they leave in memory
`;
const TELL_EVERY = 1_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(argv: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const options = { seeds: text, from: text, seed: text, trace: flag, shrink: flag, soak: text, help: flag };
  const { values } = parseArgs({ args: [...argv], options });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  if (values.soak !== undefined) return runSoak(wholeNumber(values.soak));
  const first = wholeNumber(values.seed ?? values.from ?? "1");
  const count = values.seed === undefined ? wholeNumber(values.seeds ?? "1000") : 1;
  const total = { failed: 0, starts: 0, moves: 0 };
  for (let seed = first; seed < first + count; seed += 1) {
    const outcome = await runSeed(seed);
    total.starts += outcome.starts;
    total.moves += outcome.moves;
    if (values.trace) say(outcome.lines.join("\n"));
    if ((seed - first + 1) % TELL_EVERY === 0) say(`${seed - first + 1} of ${count}, ${total.failed} failed`);
    if (outcome.faults.length === 0) continue;
    total.failed += 1;
    say(failureText(outcome));
    if (values.shrink) for (const { atMs, act } of (await shrink(seed)).acts) say(`  ${atMs} ${JSON.stringify(act)}`);
  }
  const { failed, starts, moves } = total;
  say(`${count - failed} passed, ${failed} failed; ${starts} starts, ${moves} moves of targets`);
  return failed > 0 ? 1 : 0;
}

const SAMPLES = 10;

async function runSoak(pushes: number): Promise<number> {
  const samples = await soak(pushes, Math.max(1, Math.floor(pushes / SAMPLES)));
  for (const { pushes: after, heapBytes, kept } of samples)
    say(`${after} pushes: heap ${(heapBytes / 1e6).toFixed(1)} MB, ${JSON.stringify(kept)}`);
  say(`${Math.round(bytesPerPush(samples))} bytes a push`);
  return 0;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`expected a whole number, got ${text}`);
  return Number(text);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(`npm run sim: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
