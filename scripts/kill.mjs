// npm run kill: prepares the real parts as npm test does, then runs test/kill/main.ts. Ctrl-C ends it.
//
//   npm run kill -- --kills 1000 --seed 7      at least so many kills, chosen by this seed
//   npm run kill -- --help                     all its flags
import { build } from "./lib/built.mjs";
import { driverEnv, ensurePackages } from "./lib/packages.mjs";
import { ensureParts, warnOf } from "./lib/parts.mjs";
import { root } from "./lib/paths.mjs";
import { attempt } from "./lib/run.mjs";
import { main } from "./lib/say.mjs";

const LIMIT_MS = 24 * 3_600_000;

await main("npm run kill", async () => {
  const given = process.argv.slice(2);
  const rest = given.filter((argument) => argument !== "--yes");
  await ensurePackages();
  const parts = await ensureParts({ yes: rest.length < given.length || process.env.CI === "true" });
  warnOf(parts.missing);
  await build();
  const argv = [process.execPath, "--import", "tsx", "test/kill/main.ts", ...rest];
  const env = { ...parts.env, ...driverEnv() };
  return (await attempt(argv, { cwd: root, env, show: true, timeoutMs: LIMIT_MS })).status;
});
