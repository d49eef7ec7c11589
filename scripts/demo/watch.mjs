// Watching a version arrive: at the service itself, through HTTP, as its users would.
import { Agent, get } from "node:http";
import { ask } from "../lib/http.mjs";
import { tail, until } from "../lib/run.mjs";
import { Stop, seconds, timed } from "../lib/say.mjs";
import { deadDaemon, seenVersion } from "./millrace.mjs";
import { pushNext } from "./repository.mjs";
import { taskErrors } from "./service.mjs";
import { logFile, serviceUrl } from "./settings.mjs";

const ROLL_OUT_MS = 240_000;
const CLIENTS = 4;
const REQUESTS_MIN = 1_000;
const ACTIVE = ["ready", "waiting", "running"];
/** So many answers in a row are of the new version: both replicas are. */
const IN_A_ROW = 12;

/**
 * Pushes the next version and waits until every replica says it and Millrace has nothing left to do for it.
 * @param {{ host: string, url: string }} where the engine, and Millrace's pages
 */
export async function pushAndSee(where) {
  return timed("push", "the next version to the branch live", async () => {
    const pushed = await pushNext();
    const firstMs = await seeVersion(where, pushed.version, 1);
    const allMs = await seeVersion(where, pushed.version, IN_A_ROW);
    const jobs = await endedJobs(where, pushed);
    const after = (ms) => seconds(ms - pushed.pushedAtMs);
    const times = `first seen after ${after(firstMs)}, from both replicas after ${after(allMs)}`;
    return {
      text: `version ${pushed.version} (${pushed.commit}): build began after ${buildDelay(jobs, pushed)}, ${times}; ${countOf(jobs)}`,
    };
  });
}

/** The jobs that the push caused, once all of them have ended and the service's own was among them. */
async function endedJobs(where, pushed) {
  const ended = await until(
    async () => {
      const { jobs } = (await ask(where.url, "/api/v1/jobs?limit=50")).json();
      const caused = jobs.filter((job) => Date.parse(job.created) >= pushed.startedAtMs);
      const over = caused.every((job) => !ACTIVE.includes(job.state)) && caused.some((job) => job.op === "swarm");
      return over ? caused : undefined;
    },
    ROLL_OUT_MS,
    200,
  );
  if (!ended) throw new Stop("Millrace does not come to an end with the push", await whatHappened(where));
  const wrong = ended.find((job) => job.state !== "ok");
  if (wrong !== undefined) {
    throw new Stop(
      `the job ${wrong.id} ended as ${wrong.state}`,
      `${wrong.error?.message}\n${await whatHappened(where)}`,
    );
  }
  return ended;
}

function buildDelay(jobs, { pushedAtWallMs }) {
  const build = jobs.find((job) => job.op === "docker-build");
  return build === undefined
    ? "no time: there was none"
    : seconds(Math.max(0, Date.parse(build.started) - pushedAtWallMs));
}

function countOf(jobs) {
  const count = (op) => jobs.filter((job) => job.op === op).length;
  return `${count("docker-build")} build, ${count("docker-push")} push, ${count("swarm")} service update`;
}

/** Waits until the service says a version so many times in a row; the answer is when. */
export async function seeVersion(where, version, times) {
  let row = 0;
  const seen = await until(async () => {
    row = (await seenVersion()) === version ? row + 1 : 0;
    return row >= times || deadDaemon() !== undefined;
  }, ROLL_OUT_MS);
  if (!seen || row < times)
    throw new Stop(`version ${version} was not seen at ${serviceUrl}`, await whatHappened(where));
  return performance.now();
}

async function whatHappened({ host, url }) {
  const dead = deadDaemon();
  const tasks = await taskErrors(host).catch((error) => `the engine does not answer: ${error.message}`);
  const failures = await failuresOf(url).catch((error) => `its pages do not answer: ${error.message}`);
  return [
    ...(dead === undefined ? [] : [`${dead} is not running any more`]),
    `Millrace says: ${failures}`,
    `Swarm says: ${tasks}`,
    `the end of the log:\n${tail(logFile("millrace"))}`,
  ].join("\n");
}

/** What the boxes of the graph say that have failed. */
async function failuresOf(url) {
  const { nodes } = (await ask(url, "/api/v1/graph")).json();
  const failed = nodes.flatMap(({ key, failure }) => (failure === undefined ? [] : [`${key}: ${failure.message}`]));
  return failed.length === 0 ? "nothing has failed" : failed.join("\n");
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
