// npm test: installs what the tests need, builds, runs them all, and ends with one line of counts.
//
//   npm test                    everything          npm test -- unit            one project (unit, real, scenario)
//   npm test -- --yes           Swarm mode may be turned on without asking (CI=true says the same)
//   npm test -- unit test/term  anything else goes to vitest
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./lib/built.mjs";
import { driverEnv, ensurePackages } from "./lib/packages.mjs";
import { ensureParts, warnOf } from "./lib/parts.mjs";
import { root } from "./lib/paths.mjs";
import { attempt } from "./lib/run.mjs";
import { main, Stop, say, seconds } from "./lib/say.mjs";

/** What may be named, and the pattern of vitest's projects that it means. */
const PROJECTS = new Map([
  ["unit", "unit"],
  ["real", "real*"],
  ["scenario", "scenario*"],
]);
const LIMIT_MS = 40 * 60_000;
const inCi = process.env.CI === "true";

await main("npm test", async () => {
  const startMs = performance.now();
  const { projects, rest, yes } = readArguments(process.argv.slice(2));
  await ensurePackages();
  const parts = await prepare(projects, yes || inCi);
  const counts = await runVitest({ projects, rest, env: parts.env });
  warnOf(parts.missing);
  say("done", `in ${seconds(performance.now() - startMs)}`);
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  return counts.status;
});

function readArguments(given) {
  const projects = given.filter((argument) => PROJECTS.has(argument));
  const yes = given.includes("--yes");
  return { projects, yes, rest: given.filter((argument) => !PROJECTS.has(argument) && argument !== "--yes") };
}

/** The unit tests need nothing from outside but the packages. */
async function prepare(projects, yes) {
  if (projects.length > 0 && projects.every((project) => project === "unit")) return { env: {}, missing: [] };
  const parts = await ensureParts({ yes });
  warnOf(parts.missing);
  if (inCi && parts.missing.length > 0)
    throw new Stop("CI=true, and not every real part is there", parts.missing.join("\n"));
  await build();
  return parts;
}

async function runVitest({ projects, rest, env }) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-test-"));
  const file = join(folder, "result.json");
  const vitest = [process.execPath, "node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json"];
  const argv = [
    ...vitest,
    `--outputFile.json=${file}`,
    ...projects.flatMap((name) => ["--project", PROJECTS.get(name)]),
    ...rest,
  ];
  try {
    say("tests", projects.length === 0 ? "all of them" : projects.join(", "));
    const ended = await attempt(argv, { cwd: root, env: { ...env, ...driverEnv() }, show: true, timeoutMs: LIMIT_MS });
    return { ...readCounts(file), status: ended.status };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readCounts(file) {
  try {
    const result = JSON.parse(readFileSync(file, "utf8"));
    const brokenFiles = result.testResults.filter(
      (one) => one.status === "failed" && one.assertionResults.length === 0,
    );
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + brokenFiles.length,
      skipped: result.numPendingTests + result.numTodoTests,
    };
  } catch (error) {
    throw new Stop(`vitest left no result: ${error.message}`);
  }
}
