// The demo's registry, with a password: the program of Debian's docker-registry, else the registry's image.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensurePrograms } from "./apt.mjs";
import { ask } from "./http.mjs";
import { attempt, run, startDaemon, stopDaemon, tail, until, which } from "./run.mjs";
import { Stop, timed } from "./say.mjs";

const USER = "demo";
const READY_MS = 15_000;
const IMAGES = { registry: "registry:2", htpasswd: "httpd:2-alpine" };

/**
 * Starts a registry on 127.0.0.1 with what it keeps in `folder`: `{ authFile, stop() }`. `authFile` holds the user and
 * password in the form of Docker's config.json, readable by its owner only.
 */
export async function startRegistry({ host, folder, port, container }) {
  return timed("registry", "starting a registry", async () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await ensurePrograms({ "docker-registry": "docker-registry", htpasswd: "apache2-utils" });
    const place = { host, folder, port, container, authFile: join(folder, "../registry-auth.json") };
    const password = await ensurePassword(place);
    const stop = which("docker-registry") ? await startProgram(place) : await startContainer(place);
    await mustAnswer(place, password);
    return { text: `on 127.0.0.1:${port}, with a password (${place.authFile})`, authFile: place.authFile, stop };
  });
}

/** Makes the password once; the registry gets its bcrypt hash, Millrace the file. */
async function ensurePassword({ host, folder, port, authFile }) {
  const address = `127.0.0.1:${port}`;
  if (existsSync(authFile) && existsSync(join(folder, "htpasswd"))) {
    const { auths } = JSON.parse(readFileSync(authFile, "utf8"));
    return Buffer.from(auths[address].auth, "base64").toString("utf8");
  }
  const password = randomBytes(18).toString("base64url");
  writeFileSync(join(folder, "htpasswd"), await hash(host, password), { mode: 0o600 });
  const auth = Buffer.from(`${USER}:${password}`).toString("base64");
  writeFileSync(authFile, `${JSON.stringify({ auths: { [address]: { auth } } }, undefined, 2)}\n`, { mode: 0o600 });
  return `${USER}:${password}`;
}

/** Stops the registry that an earlier run left behind, if any. */
export const stopRegistry = (folder) => stopDaemon(join(folder, "registry.pid"));

/** The password goes in by standard input: a command line can be read by everybody. */
async function hash(host, password) {
  const own = which("htpasswd");
  const image = ["docker", "-H", host, "run", "--rm", "-i", IMAGES.htpasswd, "htpasswd"];
  const argv = own === undefined ? image : [own];
  const ended = await attempt([...argv, "-Bin", USER], { input: password });
  if (ended.status !== 0) throw new Stop("no password hash for the registry", whatToInstall(ended.stderr));
  return `${ended.stdout.trim()}\n`;
}

async function startProgram(place) {
  const { folder, port } = place;
  const pidFile = join(folder, "registry.pid");
  const configFile = join(folder, "config.yml");
  writeFileSync(configFile, config(folder, `127.0.0.1:${port}`));
  await startDaemon([which("docker-registry"), "serve", configFile], {
    pidFile,
    logFile: join(folder, "registry.log"),
  });
  return () => stopRegistry(folder);
}

const config = (folder, address) => `version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: "${folder}/data" }, delete: { enabled: true } }
http: { addr: "${address}" }
auth: { htpasswd: { realm: millrace-demo, path: "${folder}/htpasswd" } }
`;

async function startContainer({ host, folder, port, container }) {
  const docker = (...args) => run(["docker", "-H", host, ...args]);
  if (which("docker") === undefined) throw new Stop("no registry can be started", whatToInstall("no docker command"));
  await attempt(["docker", "-H", host, "rm", "-f", container]);
  const auth = [
    "REGISTRY_AUTH=htpasswd",
    "REGISTRY_AUTH_HTPASSWD_REALM=millrace-demo",
    "REGISTRY_AUTH_HTPASSWD_PATH=/etc/htpasswd",
  ];
  const options = [...auth, "REGISTRY_STORAGE_DELETE_ENABLED=true"].flatMap((value) => ["-e", value]);
  await docker(
    "create",
    "--name",
    container,
    "-p",
    `127.0.0.1:${port}:5000`,
    ...options,
    "-v",
    `${container}:/var/lib/registry`,
    IMAGES.registry,
  );
  await docker("cp", join(folder, "htpasswd"), `${container}:/etc/htpasswd`);
  await docker("start", container);
  return () => docker("stop", container);
}

/** Removes what `startContainer` left: nothing when the registry was a program. */
export async function removeRegistryContainer(host, container) {
  await ask(host, `/containers/${container}?force=true`, { method: "DELETE", timeoutMs: 30_000 });
  await ask(host, `/volumes/${container}`, { method: "DELETE", timeoutMs: 30_000 });
}

async function mustAnswer({ port, folder }, password) {
  const headers = { authorization: `Basic ${Buffer.from(password).toString("base64")}` };
  const status = () =>
    ask(`http://127.0.0.1:${port}`, "/v2/", { headers }).then(
      (answer) => answer.status,
      () => 0,
    );
  if (await until(async () => (await status()) === 200, READY_MS)) return;
  throw new Stop(
    `the registry on port ${port} does not answer (status ${await status()})`,
    tail(join(folder, "registry.log")),
  );
}

const whatToInstall = (
  why,
) => `${why.trim()}\nInstall docker-registry and apache2-utils (as root this is done by itself), or give the engine
a way to pull ${IMAGES.registry} and ${IMAGES.htpasswd}.`;
