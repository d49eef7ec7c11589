// The three that run as long as the demo does: the registry, the proxy, Millrace itself.
import { join, relative } from "node:path";
import { ask } from "../lib/http.mjs";
import { root } from "../lib/paths.mjs";
import { stopRegistry } from "../lib/registry.mjs";
import { freePort, livingDaemon, startDaemon, stopDaemon, tail, until } from "../lib/run.mjs";
import { Stop, timed } from "../lib/say.mjs";
import { logFile, PAGE_PORT, PROXY_PORT, pidFile, places, REGISTRY_PORT, SERVICE, serviceUrl } from "./settings.mjs";

const READY_MS = 60_000;
const DAEMONS = ["millrace", "proxy"];

/** Starts the proxy in front of the service's tasks. */
export async function startProxy(host) {
  await timed("proxy", "starting the proxy", async () => {
    const place = { pidFile: pidFile("proxy"), logFile: logFile("proxy") };
    const proxy = join(import.meta.dirname, "proxy.mjs");
    await startDaemon([process.execPath, proxy, host, SERVICE, String(PROXY_PORT)], place);
    const version = await until(() => seenVersion(), READY_MS);
    if (version === undefined) throw new Stop("the service does not answer through the proxy", tail(place.logFile));
    return `${serviceUrl} follows the healthy tasks; it says version ${version}`;
  });
}

/** Starts Millrace for the flavour demo. The answer is `{ url }`, the address of its pages. */
export async function startMillrace({ host, authFile }) {
  return timed("millrace", "starting Millrace", async () => {
    const place = { pidFile: pidFile("millrace"), logFile: logFile("millrace") };
    const port = (await freePort(PAGE_PORT)) ?? (await freePort());
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
    return { text: `serves ${url}, log ${relative(root, place.logFile)}`, url };
  });
}

const readyOrDead = (url) =>
  livingDaemon(pidFile("millrace")) === undefined
    ? { dead: true }
    : ask(url, "/readyz").then(
        (answer) => answer.status === 200,
        () => false,
      );

/** Stops Millrace, then the proxy, then the registry: whatever of them runs. */
export async function stopAll() {
  for (const name of DAEMONS) await stopDaemon(pidFile(name));
  await stopRegistry(places.registry);
}

/** Stops with a message when a port that `pipeline.ts` names belongs to somebody else. */
export async function mustHavePorts() {
  for (const [port, whose] of [
    [REGISTRY_PORT, "registry"],
    [PROXY_PORT, "proxy"],
  ]) {
    if ((await freePort(port)) === undefined) {
      throw new Stop(
        `port ${port} of 127.0.0.1 is in use by another program`,
        `The demo's ${whose} needs it: stop that program first.`,
      );
    }
  }
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
