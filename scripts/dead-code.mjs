// npm run dead: files, exports and packages that nothing uses. knip is no devDependency: what it needs for other
// platforms does not get through every registry into a lockfile, so npx fetches it at a fixed version.
import { root } from "./lib/paths.mjs";
import { attempt } from "./lib/run.mjs";
import { main, Stop, say } from "./lib/say.mjs";

const KNIP = "knip@6.44.2";
const LIMIT_MS = 180_000;

await main("npm run dead", async () => {
  const argv = ["npx", "--yes", KNIP, "--no-progress"];
  const ended = await attempt(argv, { cwd: root, timeoutMs: LIMIT_MS });
  if (ended.status === 0) return say("dead code", "none");
  if (ended.stdout.trim() !== "") throw new Stop("nothing uses these:", ended.stdout);
  if (process.env.CI === "true") throw new Stop(`${KNIP} cannot be run`, ended.stderr);
  say("dead code", `NOT CHECKED: ${KNIP} cannot be fetched (${reasonIn(ended.stderr)})`);
});

/** npm's own words for it: the line that names a reason, else its last one. */
function reasonIn(text) {
  const lines = text.trim().split("\n");
  return lines.find((line) => /reason:|E404|ENOTFOUND|EAI_AGAIN/.test(line)) ?? lines.at(-1);
}
