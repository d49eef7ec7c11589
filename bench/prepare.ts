import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const root = join(here, "..");

/**
 * Installs the rivals and compiles, as the product is compiled: code that is translated while it is loaded would be
 * measured with the translator's own additions. Returns the program that measures.
 */
export function prepare(say: (line: string) => void): string {
  installRivals(say);
  say("compiling");
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", join(here, "tsconfig.json")], root);
  const isText = (path: string): boolean => !path.endsWith(".ts");
  cpSync(join(root, "src"), join(here, "dist/src"), { recursive: true, filter: isText });
  cpSync(join(root, "package.json"), join(here, "dist/package.json")); // says which version it is
  return join(here, "dist/bench/measure.js");
}

/** What is measured against: packages of this folder, no part of the product. */
export function installRivals(say: (line: string) => void): void {
  if (installed()) return;
  say("installing the rivals (bench/package-lock.json)");
  run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], here);
}

/** Whether what is installed is what the lockfile says. */
function installed(): boolean {
  const done = join(here, "node_modules/.package-lock.json");
  if (!existsSync(done)) return false;
  return versionsIn(done) === versionsIn(join(here, "package-lock.json"));
}

/** Names and versions, in order. */
const versionsIn = (lock: string): string =>
  [...readFileSync(lock, "utf8").matchAll(/"node_modules\/([^"]+)": \{\s*"version": "([^"]+)"/g)]
    .map(([, name, version]) => `${name}@${version}`)
    .join(" ");

function run(program: string, argv: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(program, argv, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`${program} ${argv.join(" ")} failed: ${error?.message ?? `exit ${status}`}`);
}
