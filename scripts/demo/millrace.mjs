// The three that run as long as the demo does: the registry, the proxy, Millrace itself.
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { ask } from "../lib/http.mjs";
import { root } from "../lib/paths.mjs";
import { livingDaemon, startDaemon, stopDaemon, tail, until } from "../lib/run.mjs";
import { Stop, timed } from "../lib/say.mjs";
import { logFile, PAGE_PORT, PROXY_PORT, pidFile, places, SERVICE, serviceUrl } from "./settings.mjs";

const READY_MS = 60_000;
const DAEMONS = ["millrace", "proxy"];

/** Starts the proxy in front of the service's tasks. */
export async function startProxy(host) {
  await timed("proxy", "starting the proxy", async () => {
    const place = { pidFile: pidFile("proxy"), logFile: logFile("proxy") };
    await stopDaemon(place.pidFile);
    if (!(await isFree(PROXY_PORT))) {
      throw new Stop(
        `port ${PROXY_PORT} is in use by another program`,
        "The service is shown there: stop that program first.",
      );
    }
    const proxy = join(import.meta.dirname, "proxy.mjs");
    await startDaemon([process.execPath, proxy, host, SERVICE, String(PROXY_PORT)], place);
    const version = await until(() => seenVersion(), READY_MS);
    if (version === undefined) throw new Stop("the service does not answer through the proxy", tail(place.logFile));
    return `${serviceUrl} follows the healthy tasks; it says version ${version}`;
  });
}

/** Starts Millrace for the flavour demo. The answer is `{ url }`, the address of its pages. */
export async function startMillrace({ host, authFile, quietly }) {
  return timed("millrace", "starting Millrace", async () => {
    const place = { pidFile: pidFile("millrace"), logFile: logFile("millrace") };
    await stopDaemon(place.pidFile);
    const port = (await isFree(PAGE_PORT)) ? PAGE_PORT : await freePort();
    const flags = {
      flavour: "demo",
      pipeline: "pipeline.ts",
      state: relative(root, places.state),
      port: String(port),
      "registry-auth": relative(root, authFile),
      confirm: "none",
    };
    const argv = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    const env = { ...process.env, DOCKER_HOST: host };
    await startDaemon([process.execPath, "dist/app/main.js", "serve", ...argv], { ...place, cwd: root, env });
    const url = `http://127.0.0.1:${port}`;
    if (!(await until(() => readyOrDead(url), READY_MS)) || livingDaemon(place.pidFile) === undefined) {
      throw new Stop("Millrace does not start; it said:", tail(place.logFile));
    }
    return { text: `serves ${url}${quietly ? "" : `, log ${relative(root, place.logFile)}`}`, url };
  });
}

const readyOrDead = (url) =>
  livingDaemon(pidFile("millrace")) === undefined
    ? { dead: true }
    : ask(url, "/readyz").then(
        (answer) => answer.status === 200,
        () => false,
      );

/** Stops Millrace, then the proxy. */
export async function stopAll() {
  for (const name of DAEMONS) await stopDaemon(pidFile(name));
}

/** The first of the three that is not running any more, or undefined. */
export const deadDaemon = () => DAEMONS.find((name) => livingDaemon(pidFile(name)) === undefined);

/** The version that the service itself says through the proxy, or undefined. */
export async function seenVersion() {
  try {
    const answer = await ask(serviceUrl, "/", { timeoutMs: 3_000 });
    return answer.status === 200 ? /version=(.*)/.exec(answer.text)?.[1] : undefined;
  } catch {
    return undefined; // not up yet
  }
}

const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
