// npm run sim: installs the packages of the project, then runs the simulation. doc/reliability.md says what it checks.
import { ensurePackages } from "./lib/packages.mjs";
import { root } from "./lib/paths.mjs";
import { attempt } from "./lib/run.mjs";
import { main } from "./lib/say.mjs";

const LIMIT_MS = 24 * 3_600_000;

await main("npm run sim", async () => {
  await ensurePackages();
  const argv = [process.execPath, "--expose-gc", "--import", "tsx", "test/sim/main.ts", ...process.argv.slice(2)];
  return (await attempt(argv, { cwd: root, show: true, timeoutMs: LIMIT_MS })).status;
});
