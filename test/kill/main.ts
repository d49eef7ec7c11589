// npm run kill: kills a real server at many moments of its deploys, and checks what comes of it.
import { parseArgs } from "node:util";
import { hasParts } from "../scenario/rig.ts";
import { runKills } from "./run.ts";

const HELP = `npm run kill [-- FLAGS]

  --kills N        at least so many kills of the server (40)
  --interrupted N  and at least so many intents that were open at one (100)
  --seed N         chooses what is done (1); the same seed does the same again
  --services N     services for each of the two branches (4)
  --yes            turn the engine's Swarm mode on without asking
`;
const text = (value: string) => ({ type: "string" as const, default: value });
const tell = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const options = { kills: text("40"), interrupted: text("100"), seed: text("1"), services: text("4") };
  const { values } = parseArgs({ options: { ...options, help: { type: "boolean", short: "h" } } });
  const [kills, interrupted, seed, each] = [values.kills, values.interrupted, values.seed, values.services].map(Number);
  const numbers = { kills: kills ?? 0, interrupted: interrupted ?? 0, seed: seed ?? 0, each: each ?? 0 };
  if (values.help === true || Object.values(numbers).some((number) => !Number.isSafeInteger(number) || number < 0)) {
    tell(HELP);
    return values.help === true ? 0 : 64;
  }
  if (!hasParts) {
    tell("a real Swarm, a registry, git and busybox are needed: npm run kill installs what it can");
    return 69;
  }
  try {
    tell(`\n${(await runKills({ ...numbers, tell })).text()}`);
    return 0;
  } catch (error) {
    tell(`\n${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}
