// The sample's repository: a bare one that Millrace watches, and a work tree to change it in.
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { demoFolder, root } from "../lib/paths.mjs";
import { run } from "../lib/run.mjs";
import { timed } from "../lib/say.mjs";
import { places } from "./settings.mjs";

const BRANCH = "live";
const git = (...args) => run(["git", "-C", places.workTree, ...args], { timeoutMs: 60_000 });

/** Makes both, with the sample's files in the work tree, nothing committed. What is there stays as it is. */
export async function ensureRepository() {
  await timed("repository", "the sample's repository", async () => {
    const where = relative(root, places.repository);
    const [bare, tree] = [existsSync(join(places.repository, "HEAD")), existsSync(join(places.workTree, ".git"))];
    if (bare && tree) return `${where}, with the work tree ${relative(root, places.workTree)}`;
    mkdirSync(demoFolder, { recursive: true });
    if (!bare) await run(["git", "init", "--quiet", "--bare", `--initial-branch=${BRANCH}`, places.repository]);
    rmSync(places.workTree, { recursive: true, force: true });
    await layOut(bare);
    return `${where} made, with the work tree ${relative(root, places.workTree)}`;
  });
}

async function layOut(hasHistory) {
  await run(["git", "init", "--quiet", `--initial-branch=${BRANCH}`, places.workTree]);
  await git("config", "user.name", "Millrace demo");
  await git("config", "user.email", "demo@example.org");
  await git("remote", "add", "origin", places.repository);
  if (!hasHistory || !(await run(["git", "-C", places.repository, "branch", "--list", BRANCH]))) {
    cpSync(join(import.meta.dirname, "sample"), places.workTree, { recursive: true });
    return;
  }
  await git("pull", "--quiet", "origin", BRANCH);
}

/** The version that was pushed last: a number in text, or undefined before the first push. */
export async function pushedVersion() {
  const branch = await run(["git", "-C", places.repository, "branch", "--list", BRANCH]);
  if (branch.trim() === "") return undefined;
  return (await run(["git", "-C", places.repository, "show", `${BRANCH}:version.txt`])).trim();
}

/** One more than the number in a version; 1 where there is none. */
export const nextOf = (version) => String((Number.parseInt(version ?? "0", 10) || 0) + 1);

/**
 * Writes the next version, commits it and pushes it: `{ version, commit, startedAtMs, pushedAtMs, pushedAtWallMs }`.
 * `pushedAtMs` is on the clock of `performance.now()`, the others are milliseconds since 1970.
 */
export async function pushNext() {
  const version = nextOf(await pushedVersion());
  const file = join(places.workTree, "version.txt");
  writeFileSync(file, `${version}\n`);
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "-m", `Version ${version}`);
  const startedAtMs = Date.now();
  await git("push", "--quiet", "origin", BRANCH);
  const [pushedAtMs, pushedAtWallMs] = [performance.now(), Date.now()];
  const commit = (await git("rev-parse", "--short", "HEAD")).trim();
  return { version, commit, startedAtMs, pushedAtMs, pushedAtWallMs };
}
