// Debian and Ubuntu packages, as root, from the machine's own suites. Nothing is added to the machine's list of sources.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, run, which } from "./run.mjs";
import { timed } from "./say.mjs";

const LOCK_SECONDS = 120;
const BUILDKIT_MAJOR = 23;
const ENGINE_PACKAGES = ["docker.io", "docker-cli", "containerd"];

/** True on Debian, Ubuntu and their kin as root: then packages can be installed. */
export const canInstall = () => process.getuid?.() === 0 && which("apt-get") !== undefined;

let refreshed = false;

/**
 * Installs what is missing: `parts` is program → package. The answer is the packages that are still missing, which is
 * all of them where nothing can be installed.
 */
export async function ensurePrograms(parts) {
  const missing = () => [
    ...new Set(
      Object.keys(parts)
        .filter((name) => !which(name))
        .map((name) => parts[name]),
    ),
  ];
  const wanted = missing();
  if (wanted.length === 0 || !canInstall()) return wanted;
  await timed("machine", `apt-get install ${wanted.join(" ")}`, async () => {
    const trouble = await install(wanted);
    return trouble === undefined
      ? `installed ${wanted.join(", ")}`
      : `could not install ${wanted.join(", ")}: ${trouble}`;
  });
  return missing();
}

/** Installs a Docker engine; the answer is what went wrong, or undefined. */
export async function installEngine() {
  await refresh();
  const major = await candidateMajor("docker.io");
  if (major === undefined) return "no package docker.io in the machine's suites";
  if (major >= BUILDKIT_MAJOR || codename() !== "bookworm") return install(await known(ENGINE_PACKAGES));
  return (await installFromTrixie()) === undefined ? undefined : install(["docker.io"]);
}

async function install(packages, options = []) {
  await refresh();
  const fresh = packages.filter((name) => !existsSync(`/var/lib/dpkg/info/${name}.list`));
  const ended = await apt(["install", "-y", "-qq", "--no-install-recommends", ...packages], options);
  if (ended.status !== 0) return lastLine(ended.stderr);
  await keepQuiet(fresh);
  return undefined;
}

/** The registry's package starts a registry of its own: it is only the program that is wanted. */
async function keepQuiet(fresh) {
  if (fresh.includes("docker-registry") && hasSystemd())
    await attempt(["systemctl", "disable", "--now", "docker-registry"]);
}

export const hasSystemd = () => existsSync("/run/systemd/system");

async function refresh() {
  if (refreshed) return;
  await apt(["update", "-qq"]);
  refreshed = true;
}

/**
 * bookworm's own engine (20.10) is old: it knows neither heredocs nor `COPY --link`. trixie's (26) runs on bookworm with
 * only these packages moved. The suite is named for this one installation, on the mirror that the machine uses.
 */
async function installFromTrixie() {
  const stanza = trixieStanza();
  if (stanza === undefined) return "no Debian mirror found";
  const folder = mkdtempSync(join(tmpdir(), "millrace-apt-"));
  try {
    mkdirSync(join(folder, "lists/partial"), { recursive: true });
    writeFileSync(join(folder, "trixie.sources"), stanza);
    writeFileSync(join(folder, "pin"), pin());
    const own = [
      `Dir::Etc::sourceparts=${folder}`,
      `Dir::Etc::preferences=${folder}/pin`,
      `Dir::State::lists=${folder}/lists`,
    ];
    const options = [...own, "APT::Sandbox::User=root"];
    const updated = await apt(["update", "-qq"], options);
    if (updated.status !== 0) return lastLine(updated.stderr);
    const ended = await apt(["install", "-y", "-qq", "--no-install-recommends", ...ENGINE_PACKAGES], options);
    return ended.status === 0 ? undefined : lastLine(ended.stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The machine's own Debian mirror, for bookworm (libraries) and trixie (the engine). */
function trixieStanza() {
  const file = "/etc/apt/sources.list.d/debian.sources";
  if (!existsSync(file)) return undefined;
  const [first] = readFileSync(file, "utf8").split(/\n\s*\n/);
  const lines = first.split("\n").filter((line) => !/^(#|Suites:|Components:)/.test(line));
  return [...lines, "Suites: bookworm bookworm-updates trixie", "Components: main", ""].join("\n");
}

const pin = () => `Package: *
Pin: release n=trixie
Pin-Priority: -1

Package: ${ENGINE_PACKAGES.join(" ")}
Pin: release n=trixie
Pin-Priority: 990
`;

function apt(args, options = []) {
  const all = [`DPkg::Lock::Timeout=${LOCK_SECONDS}`, ...options].flatMap((option) => ["-o", option]);
  return attempt(["apt-get", ...all, ...args], { env: { DEBIAN_FRONTEND: "noninteractive" } });
}

async function candidateMajor(name) {
  const policy = await run(["apt-cache", "policy", name]);
  const major = Number.parseInt(/Candidate: (?:\d+:)?(\d+)/.exec(policy)?.[1] ?? "", 10);
  return Number.isNaN(major) ? undefined : major;
}

/** Those of the packages that the machine's suites have. */
async function known(packages) {
  const rows = await Promise.all(packages.map(async (name) => [name, await candidateMajor(name)]));
  return rows.filter(([, major]) => major !== undefined).map(([name]) => name);
}

function codename() {
  return existsSync("/etc/os-release") && /VERSION_CODENAME=(\S+)/.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
}

const lastLine = (text) => text.trim().split("\n").at(-1) ?? "";
