// A Docker engine: the one that answers, or else one that is installed and started here with its own data.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { canInstall, hasSystemd, installEngine } from "./apt.mjs";
import { cutDeadContainers } from "./dead-engine.mjs";
import { ask } from "./http.mjs";
import { attempt, livingDaemon, startDaemon, stopDaemon, tail, until, which } from "./run.mjs";
import { Stop, say, timed } from "./say.mjs";

const PROBE_MS = 3_000;
const START_MS = 60_000;
const DEFAULT_SOCKET = "/var/run/docker.sock";

/**
 * Where the engine that is started here keeps what is its own. `MILLRACE_SETUP_ENGINE=FOLDER` puts it, and its socket,
 * elsewhere and looks for no other engine: it is how the path without an engine is tried on a machine that has one.
 */
const apart = process.env.MILLRACE_SETUP_ENGINE;
const home = apart ?? "/var/lib/millrace-engine";
const ownSocket = apart === undefined ? DEFAULT_SOCKET : join(apart, "docker.sock");
const pidFile = join(home, "dockerd.pid");
const logFile = join(home, "dockerd.log");

/**
 * Finds a Docker engine, or installs and starts one. The answer is `{ host, version, started }`: `host` for DOCKER_HOST,
 * `started` when this call started it. Stops with what to install where that cannot be done.
 */
export async function ensureEngine() {
  const found = await findEngine();
  if (found !== undefined) {
    say("engine", `Docker ${found.version} at ${found.host}`);
    return { ...found, started: false };
  }
  if (!canInstall()) throw new Stop("no Docker engine answers", whatToInstall());
  if (which("dockerd") === undefined) await installed();
  return (await startedBySystem()) ?? startOwn();
}

/** The engine that answers, or undefined. `DOCKER_HOST`, when set, is the only place that is looked at. */
export async function findEngine() {
  for (const host of candidates()) {
    const version = await versionAt(host);
    if (version !== undefined) return { host, version };
  }
  const { DOCKER_HOST } = process.env;
  if (DOCKER_HOST && apart === undefined) {
    throw new Stop(`DOCKER_HOST is ${DOCKER_HOST}, where no Docker engine answers`, "Unset it, or start that engine.");
  }
  return undefined;
}

function candidates() {
  if (apart !== undefined) return [`unix://${ownSocket}`];
  const { DOCKER_HOST, XDG_RUNTIME_DIR } = process.env;
  if (DOCKER_HOST) return [DOCKER_HOST];
  const sockets = [
    DEFAULT_SOCKET,
    XDG_RUNTIME_DIR && join(XDG_RUNTIME_DIR, "docker.sock"), // rootless
    join(homedir(), ".docker/run/docker.sock"), // Docker Desktop
  ];
  return sockets.filter((socket) => socket && existsSync(socket)).map((socket) => `unix://${socket}`);
}

async function versionAt(host) {
  if (!/^(unix|tcp|http):/.test(host)) {
    throw new Stop(`DOCKER_HOST is ${host}`, "These commands need an engine on unix:// or tcp:// without TLS.");
  }
  try {
    const answer = await ask(host, "/version", { timeoutMs: PROBE_MS });
    return answer.status === 200 ? answer.json().Version : undefined;
  } catch (error) {
    if (error.code === "EACCES") {
      throw new Stop(`you may not use the Docker engine at ${host}`, "Join its group: sudo usermod -aG docker $USER");
    }
    return undefined; // nobody listens, or nobody answers in time
  }
}

async function installed() {
  await timed(
    "engine",
    "no Docker engine found: installing docker.io from this machine's suites, about half a minute",
    async () => {
      const trouble = await installEngine();
      if (trouble !== undefined || which("dockerd") === undefined) {
        throw new Stop(`docker.io could not be installed: ${trouble ?? "no dockerd in the package"}`, whatToInstall());
      }
      return "docker.io installed";
    },
  );
}

/** With systemd the engine is a service of the machine's: it is started there, the usual way. */
async function startedBySystem() {
  if (apart !== undefined || !hasSystemd()) return undefined;
  await attempt(["systemctl", "start", "docker"], { timeoutMs: START_MS });
  const found = await until(findEngine, 15_000);
  if (found) say("engine", `Docker ${found.version} at ${found.host}, started as the service docker`);
  return found ? { ...found, started: false } : undefined;
}

/** Starts dockerd as a plain process that outlives this one, with its own data. */
async function startOwn() {
  return timed("engine", `starting dockerd with its own data in ${home}`, async () => {
    mkdirSync(home, { recursive: true, mode: 0o711 });
    await stopDaemon(pidFile, 30_000); // one that lives and does not answer
    await unmountLeftovers();
    await cutDeadContainers();
    const host = `unix://${ownSocket}`;
    const argv = [which("dockerd"), "--data-root", join(home, "data"), "--exec-root", join(home, "exec")];
    rmSync(join(home, "engine.pid"), { force: true }); // of an engine that was killed: the id may be another's by now
    await startDaemon([...argv, "--pidfile", join(home, "engine.pid"), "-H", host], { pidFile, logFile });
    const version = await until(() => versionOrDead(host), START_MS, 200);
    if (typeof version !== "string") {
      await stopDaemon(pidFile);
      throw new Stop(`dockerd does not start; the end of ${logFile}:`, tail(logFile));
    }
    return { text: `Docker ${version} started at ${host}, data in ${home}`, host, version, started: true };
  });
}

async function versionOrDead(host) {
  if (livingDaemon(pidFile) === undefined) return { dead: true };
  return versionAt(host);
}

/** True when the engine that runs was started by these commands, with its own data. */
export const isOwnEngine = (host) => host === `unix://${ownSocket}` && livingDaemon(pidFile) !== undefined;

/** Stops the engine that was started here and removes its data. False when there is none. */
export async function removeOwnEngine() {
  if (livingDaemon(pidFile) === undefined) return false;
  await stopDaemon(pidFile, 30_000);
  await unmountLeftovers();
  rmSync(home, { recursive: true, force: true });
  return true;
}

async function unmountLeftovers() {
  const spaces = join(home, "exec/netns");
  const names = existsSync(spaces) ? readdirSync(spaces) : [];
  for (const name of names) await attempt(["umount", join(spaces, name)]);
}

function whatToInstall() {
  if (process.platform === "darwin" || process.platform === "win32")
    return "Install and start Docker Desktop, then run this again.";
  if (which("apt-get")) {
    return "Run this again as root, or install one: sudo apt-get install docker.io && sudo usermod -aG docker $USER\n(then log in again).";
  }
  return "Install Docker Engine 23 or newer (docs.docker.com/engine/install), start it, then run this again.\nOr set DOCKER_HOST.";
}
