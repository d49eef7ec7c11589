// npm run bench: installs the packages of the project with Node's own modules, then runs bench/main.ts.
import { ensurePackages } from "../scripts/lib/packages.mjs";
import { root } from "../scripts/lib/paths.mjs";
import { attempt } from "../scripts/lib/run.mjs";
import { main } from "../scripts/lib/say.mjs";

const LIMIT_MS = 4 * 3_600_000;

await main("npm run bench", async () => {
  await ensurePackages();
  const argv = [process.execPath, "--import", "tsx", "bench/main.ts", ...process.argv.slice(2)];
  return (await attempt(argv, { cwd: root, show: true, timeoutMs: LIMIT_MS })).status;
});
