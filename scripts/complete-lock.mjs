// After `npm install`: completes package-lock.json with the packages of other platforms that npm left out of it.
//
// A registry that mirrors only some platforms lets `npm install` drop the others without a word, and then `npm ci` stops
// everywhere with "Missing: … from lock file". What their names say (system, processor, libc) is all that the lock needs.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./lib/paths.mjs";
import { say } from "./lib/say.mjs";

const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const PROCESSORS = { arm: "arm", "arm-eabi": "arm", "arm-gnueabihf": "arm", "arm-musleabihf": "arm" };

const file = join(root, "package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8"));
const added = Object.entries(lock.packages).flatMap(([path, owner]) => missingOf(path, owner));
for (const [path, entry] of added) lock.packages[path] = entry;
const sorted = Object.keys(lock.packages).toSorted((a, b) => a.localeCompare(b, "en"));
lock.packages = Object.fromEntries(sorted.map((path) => [path, lock.packages[path]]));
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
say("lock", added.length === 0 ? "is complete" : `${added.length} packages of other platforms added`);

function missingOf(path, owner) {
  const wanted = Object.entries(owner.optionalDependencies ?? {});
  const missing = wanted.filter(
    ([name]) => !lock.packages[`node_modules/${name}`] && !lock.packages[`${path}/node_modules/${name}`],
  );
  return missing.flatMap(([name, version]) => entryOf(name, version, owner.dev === true));
}

function entryOf(name, version, dev) {
  const words = name.replace(/^.*?\/(binding-)?/, "").split("-");
  const [system, ...rest] = words;
  if (!SYSTEMS.includes(system) || !/^\d+\.\d+\.\d+$/.test(version)) return [];
  const libc = { gnu: "glibc", musl: "musl" }[rest.at(-1)];
  const processor = PROCESSORS[rest.join("-")] ?? rest[0];
  const entry = {
    version,
    cpu: [processor],
    ...(dev && { dev }),
    ...(libc && { libc: [libc] }),
    optional: true,
    os: [system],
  };
  return [[`node_modules/${name}`, entry]];
}
