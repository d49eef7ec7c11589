// The npm packages of the project: `npm ci` when node_modules is not what package-lock.json says.
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { ensurePrograms } from "./apt.mjs";
import { cacheFolder, root } from "./paths.mjs";
import { attempt } from "./run.mjs";
import { Stop, say, timed } from "./say.mjs";

const DRIVER = "better-sqlite3";
const NODE_WANTED = [20, 19];
const COMPILER = { python3: "python3", make: "make", "g++": "g++" };

/** Installs the npm packages, unless they are there. The database driver is compiled once a machine, then kept. */
export async function ensurePackages() {
  checkNode();
  const stamp = join(root, "node_modules/.millrace-packages");
  const wanted = fingerprint();
  if (existsSync(stamp) ? readFileSync(stamp, "utf8") === wanted : isInstalled()) return;
  if (isLent()) return say("packages", "node_modules is a link and not what package-lock.json says: used as it is");
  const prebuilds = prebuildsFolder();
  await timed("packages", announcement(prebuilds), async () => {
    await install();
    writeFileSync(stamp, wanted);
    keepDriver(prebuilds);
    return "npm packages installed";
  });
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const enough = major > NODE_WANTED[0] || (major === NODE_WANTED[0] && minor >= NODE_WANTED[1]);
  if (!enough)
    throw new Stop(`Node ${process.versions.node} is too old`, `Install Node ${NODE_WANTED.join(".")} or newer.`);
}

function fingerprint() {
  const hash = createHash("sha256").update(`${process.versions.modules} ${process.platform} ${process.arch}\n`);
  return hash.update(readFileSync(join(root, "package-lock.json"))).digest("hex");
}

/** Whether somebody installed just these packages by hand: npm notes in node_modules what it put there. */
function isInstalled() {
  const notes = join(root, "node_modules/.package-lock.json");
  if (!existsSync(notes)) return false;
  const there = JSON.parse(readFileSync(notes, "utf8")).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages);
  return wanted.every(([path, { optional, version }]) => path === "" || optional || there[path]?.version === version);
}

/** A link leads into another checkout: `npm ci` would empty that one. */
function isLent() {
  return lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function announcement(prebuilds) {
  if (existsSync(prebuiltFile(prebuilds))) return "npm ci, about half a minute";
  return `npm ci; the first time ${DRIVER} may have to be compiled, which takes up to three minutes`;
}

async function install() {
  const env = driverEnv();
  const argv = ["npm", "ci", "--no-audit", "--no-fund", "--include=dev"];
  const first = await attempt(argv, { cwd: root, env });
  if (first.status === 0) return;
  const compiling = /gyp ERR|node-gyp/.test(first.stderr);
  const missing = compiling ? await ensurePrograms(COMPILER) : [];
  if (missing.length > 0)
    throw new Stop(`${DRIVER} has to be compiled`, `Install ${missing.join(", ")}, then run this again.`);
  const second = compiling ? await attempt(argv, { cwd: root, env }) : first;
  if (second.status === 0) return;
  const said = second.stderr.trim().split("\n");
  throw new Stop(`${argv.join(" ")} ended with status ${second.status}`, said.slice(0, 20).join("\n"));
}

/** What npm needs in its environment so that the driver is taken from the cache, or compiled without a download. */
export const driverEnv = () => ({ npm_config_better_sqlite3_local_prebuilds: prebuildsFolder(), ...nodeHeaders() });

const prebuildsFolder = () => join(cacheFolder(), "prebuilds");

/** Node's own headers when they stand beside the running node: then node-gyp needs no download. */
function nodeHeaders() {
  const prefix = resolve(process.execPath, "../..");
  return existsSync(join(prefix, "include/node/node.h")) ? { npm_config_nodedir: prefix } : {};
}

/** Packs the compiled driver the way prebuild-install looks for it, so that the next clone does not compile. */
function keepDriver(prebuilds) {
  const built = join(root, "node_modules", DRIVER, "build/Release/better_sqlite3.node");
  const file = prebuiltFile(prebuilds);
  if (!existsSync(built) || existsSync(file)) return;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const half = `${file}.${process.pid}`;
    writeFileSync(half, gzipSync(tarOf("build/Release/better_sqlite3.node", readFileSync(built))));
    renameSync(half, file);
  } catch {
    // the cache only saves time
  }
}

function prebuiltFile(prebuilds) {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const { version } = lock.packages[`node_modules/${DRIVER}`];
  const musl = process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime;
  const platform = musl ? "linuxmusl" : process.platform;
  return join(prebuilds, `${DRIVER}-v${version}-node-v${process.versions.modules}-${platform}-${process.arch}.tar.gz`);
}

/** A tar archive of one file. */
function tarOf(name, content) {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000755\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\0", 257);
  header.write("00", 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}
