// npm run demo: everything from a fresh clone to a service that moves when you push. Node's own modules only.
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { clean } from "./demo/clean.mjs";
import { deadDaemon, mustHavePorts, seenVersion, startMillrace, startProxy, stopAll } from "./demo/millrace.mjs";
import { ensureRepository, nextOf, pushedVersion } from "./demo/repository.mjs";
import { ensureService } from "./demo/service.mjs";
import * as demo from "./demo/settings.mjs";
import { pushAndSee, seeVersion, underLoad } from "./demo/watch.mjs";
import { ensurePrograms } from "./lib/apt.mjs";
import { build } from "./lib/built.mjs";
import { ensureEngine } from "./lib/engine.mjs";
import { ensureBaseImage } from "./lib/images.mjs";
import { ensurePackages } from "./lib/packages.mjs";
import { startRegistry } from "./lib/registry.mjs";
import { livingDaemon, tail, writePid } from "./lib/run.mjs";
import { main, Stop, say, seconds } from "./lib/say.mjs";
import { ensureSwarm } from "./lib/swarm.mjs";

const HELP = `npm run demo [-- FLAGS]

  (none)    sets everything up, pushes a first version, and stays until Ctrl-C
  --once    the same, pushes two versions under load, checks them, stops, exits 0
  --clean   removes everything that the demo made
  --yes     turn the engine's Swarm mode on without asking
`;

await main("npm run demo", async () => {
  const flags = readFlags();
  if (flags.help) return void process.stdout.write(HELP);
  mustBeAlone();
  if (flags.clean) return clean();
  const startMs = performance.now();
  const leave = leaveOnSignal();
  await takePlace();
  const host = await prepare(flags);
  const registry = await startRegistry({
    host,
    folder: demo.places.registry,
    port: demo.REGISTRY_PORT,
    container: demo.REGISTRY_CONTAINER,
  });
  try {
    await startProxy(host);
    const { url } = await startMillrace({ host, authFile: registry.authFile });
    if (flags.once) await showOnce({ host, url });
    else await stay({ host, url, leave });
  } finally {
    say("stop", "stopping Millrace, the proxy and the registry; the engine and the service stay");
    await stopAll();
    await registry.stop(); // where it is a container
  }
  say("done", `in ${seconds(performance.now() - startMs)}`);
});

function readFlags() {
  const flag = { type: "boolean", default: false };
  try {
    return parseArgs({ options: { once: flag, clean: flag, yes: flag, help: { ...flag, short: "h" } } }).values;
  } catch (error) {
    throw new Stop(error.message.split(". ")[0], HELP);
  }
}

function mustBeAlone() {
  const other = livingDaemon(demo.pidFile("demo"));
  if (other !== undefined) throw new Stop(`the demo runs already, as process ${other}`, "Stop it with Ctrl-C first.");
}

/** From here on this is the demo of this folder. What an earlier one left running, since it was killed, is stopped. */
async function takePlace() {
  demo.note({});
  writePid(demo.pidFile("demo"), process.pid);
  await stopAll();
  await mustHavePorts();
}

/** Everything up to the service: packages, build, engine, Swarm mode, base image, repository. The answer is the engine. */
async function prepare({ yes }) {
  await ensurePackages();
  await build();
  const missing = await ensurePrograms({ git: "git", tar: "tar" });
  if (missing.length > 0)
    throw new Stop(`missing on this machine: ${missing.join(", ")}`, "Install them, then run this again.");
  const { host, started } = await ensureEngine();
  demo.note({ engine: started });
  const swarm = await ensureSwarm(host, { yes: yes || process.env.CI === "true" });
  if (!swarm.active) {
    throw new Stop(
      "the demo needs the engine's Swarm mode, which is off",
      "Allow it: npm run demo -- --yes (or docker swarm init).",
    );
  }
  demo.note({ swarm: swarm.turnedOn });
  demo.note({ pulled: await ensureBaseImage(host, demo.BASE_IMAGE) });
  await ensureRepository();
  await ensureService(host);
  return host;
}

/** Two versions, the second one under load: not one request may fail. */
async function showOnce(where) {
  await pushAndSee(where);
  const tally = await underLoad(() => pushAndSee(where));
  const { requests, failures, slowestMs, versions } = tally;
  const seen = [...versions].join(" and ");
  say(
    "load",
    `${requests} requests during the roll-out, ${failures.length} failed, slowest ${Math.round(slowestMs)} ms, versions ${seen}`,
  );
  if (failures.length > 0)
    throw new Stop(`${failures.length} requests failed`, [...new Set(failures)].slice(0, 5).join("\n"));
}

async function stay({ host, url, leave }) {
  const last = await pushedVersion();
  if (last === undefined) await pushAndSee({ host, url });
  else if ((await seenVersion()) !== last) await seeVersion({ host, url }, last, 1);
  process.stdout.write(whatNext(url, nextOf(await pushedVersion())));
  await leave(deadDaemon);
}

function whatNext(url, version) {
  const tree = relative(process.cwd(), demo.places.workTree) || ".";
  return `
The service says:  ${demo.serviceUrl}
The page:          ${url}   (moves by itself)

Now change it. In another terminal:

  cd ${tree}
  echo ${version} > version.txt
  git commit -am "Version ${version}" && git push origin live
  curl ${demo.serviceUrl}   # a few seconds later

and watch the page. To act on it (rebuild, cancel), log in with the token in the
file ${join(relative(process.cwd(), demo.places.state), "token")}. Ctrl-C stops Millrace; the service stays, and
npm run demo takes it up again. npm run demo -- --clean removes everything.

`;
}

/** Ctrl-C ends the wait at the end; before that, it ends the command in order, once what is under way is through. */
function leaveOnSignal() {
  let told;
  const signal = new Promise((resolve) => (told = resolve));
  const early = () => {
    say("stop", "stopping");
    void stopAll().finally(() => process.exit(130));
  };
  for (const name of ["SIGINT", "SIGTERM"]) process.on(name, early);
  return async (dead) => {
    for (const name of ["SIGINT", "SIGTERM"]) {
      process.off(name, early);
      process.once(name, told);
    }
    const watch = setInterval(() => dead() && told(), 1_000);
    await signal;
    clearInterval(watch);
    const lost = dead();
    if (lost !== undefined) throw new Stop(`${lost} has ended by itself; it said:`, tail(demo.logFile(lost)));
  };
}
