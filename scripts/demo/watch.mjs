// Watching a version arrive: at the service itself, through HTTP, as its users would.
import { Agent, get } from "node:http";
import { tail, until } from "../lib/run.mjs";
import { Stop, seconds, timed } from "../lib/say.mjs";
import { deadDaemon, seenVersion } from "./millrace.mjs";
import { pushNext } from "./repository.mjs";
import { inspect, taskErrors } from "./service.mjs";
import { logFile, serviceUrl } from "./settings.mjs";

const ROLL_OUT_MS = 240_000;
const CLIENTS = 4;
const REQUESTS_MIN = 1_000;
/** So many answers in a row are of the new version: both replicas are. */
const IN_A_ROW = 12;

/** Pushes the next version and waits until the service itself says it, from every replica. */
export async function pushAndSee(host) {
  return timed("push", "the next version to the branch live", async () => {
    const pushed = await pushNext();
    const firstMs = await seeVersion(host, pushed.version, 1);
    const allMs = await seeVersion(host, pushed.version, IN_A_ROW);
    await settled(host);
    const times = `first seen after ${seconds(firstMs - pushed.pushedAtMs)}, everywhere after ${seconds(allMs - pushed.pushedAtMs)}`;
    return { text: `version ${pushed.version} (${pushed.commit}) ${times}`, ...pushed };
  });
}

/** Waits until the service says a version so many times in a row; the answer is when. */
export async function seeVersion(host, version, times) {
  let row = 0;
  const seen = await until(async () => {
    row = (await seenVersion()) === version ? row + 1 : 0;
    return row >= times || deadDaemon() !== undefined;
  }, ROLL_OUT_MS);
  if (!seen || row < times)
    throw new Stop(`version ${version} was not seen at ${serviceUrl}`, await whatHappened(host));
  return performance.now();
}

/** The roll-out has ended by the service's own word. */
async function settled(host) {
  const state = await until(async () => {
    const { UpdateStatus } = (await inspect(host)) ?? {};
    return UpdateStatus?.State === "updating" ? undefined : (UpdateStatus?.State ?? "completed");
  }, ROLL_OUT_MS);
  if (state !== "completed") throw new Stop(`the roll-out ended as ${state}`, await whatHappened(host));
}

async function whatHappened(host) {
  const dead = deadDaemon();
  const tasks = await taskErrors(host).catch((error) => `the engine does not answer: ${error.message}`);
  return `${dead === undefined ? "" : `${dead} is not running any more\n`}Swarm says: ${tasks}\nthe end of the log:\n${tail(logFile("millrace"))}`;
}

/**
 * Asks the service in closed loops while `work` runs, and goes on until enough was asked.
 * The answer is `{ requests, failures, slowestMs, versions }`.
 */
export async function underLoad(work) {
  const tally = { requests: 0, failures: [], slowestMs: 0, versions: new Set() };
  const load = { working: true };
  const loops = Array.from({ length: CLIENTS }, () => askAgain(tally, load));
  try {
    await work();
  } finally {
    load.working = false;
  }
  await Promise.all(loops);
  return tally;
}

async function askAgain(tally, load) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (load.working || tally.requests < REQUESTS_MIN) {
    const startMs = performance.now();
    const answer = await askOnce(agent);
    tally.requests++;
    tally.slowestMs = Math.max(tally.slowestMs, performance.now() - startMs);
    if (answer.failure === undefined) tally.versions.add(answer.version);
    else tally.failures.push(answer.failure);
    await new Promise((resolve) => setTimeout(resolve, 5)); // leaves the machine to the roll-out
  }
  agent.destroy();
}

const askOnce = (agent) =>
  new Promise((resolve) => {
    const call = get(serviceUrl, { agent, timeout: 10_000 }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      answer.on("error", (error) => resolve({ failure: error.message }));
      answer.on("end", () => {
        const version = /version=(.*)/.exec(text)?.[1];
        resolve(
          answer.statusCode === 200 && version
            ? { version }
            : { failure: `status ${answer.statusCode}: ${text.trim()}` },
        );
      });
    });
    call.on("timeout", () => call.destroy(new Error("no answer within 10 s")));
    call.on("error", (error) => resolve({ failure: error.message }));
  });
