// The sample's Swarm service, as an operator would have made it: Millrace only moves its image.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask } from "../lib/http.mjs";
import { buildImage, hasImage, removeImage } from "../lib/images.mjs";
import { until } from "../lib/run.mjs";
import { Stop, timed } from "../lib/say.mjs";
import { IMAGE, note, readNotes, SERVICE, START_IMAGE } from "./settings.mjs";

const SECOND_NS = 1_000_000_000;
const START_MS = 60_000;
const sample = join(import.meta.dirname, "sample");

const spec = {
  Name: SERVICE,
  Labels: { "millrace-demo": "made by npm run demo" },
  TaskTemplate: {
    ContainerSpec: { Image: START_IMAGE, Init: true, StopGracePeriod: 10 * SECOND_NS },
    RestartPolicy: { Condition: "any", Delay: SECOND_NS },
  },
  Mode: { Replicated: { Replicas: 2 } },
  UpdateConfig: {
    Parallelism: 1,
    Order: "start-first",
    FailureAction: "rollback",
    Monitor: 5 * SECOND_NS,
    MaxFailureRatio: 0,
  },
  RollbackConfig: { Parallelism: 1, Order: "start-first", Monitor: SECOND_NS },
  // host mode without a fixed port: two tasks on one machine do not collide while one replaces the other
  EndpointSpec: { Mode: "dnsrr", Ports: [{ Protocol: "tcp", TargetPort: 8080, PublishMode: "host" }] },
};

/**
 * Makes the service with an image that says "none yet", unless this folder's demo has made it. Waits until both tasks
 * are healthy. One that another folder's demo has left bears that one's receipts, so Millrace would hold it.
 */
export async function ensureService(host) {
  await timed("service", `${SERVICE}: two replicas`, async () => {
    const there = await inspect(host);
    const left = isDemos(there) && there.ID !== readNotes().service;
    if (left) await removeService(host);
    const made = left || there === undefined;
    if (made) note({ service: await create(host) });
    const running = await until(async () => (await runningTasks(host)) >= 2, START_MS, 200);
    if (!running) throw new Stop(`${SERVICE} does not become healthy`, await taskErrors(host));
    const how = left ? "made anew, since another folder's demo had left it" : made ? "made" : "is there";
    return `${SERVICE} ${how}: two healthy replicas, start-first, rolled back on failure`;
  });
}

/** The service as the engine has it, or undefined. */
async function inspect(host) {
  const answer = await ask(host, `/services/${SERVICE}`);
  return answer.status === 200 ? answer.json() : undefined;
}

const isDemos = (service) => service?.Spec.Labels?.["millrace-demo"] !== undefined;

/** Removes the service, if it is the one that the demo made, and the images that it ran. */
export async function removeService(host) {
  if (!isDemos(await inspect(host))) return;
  await ask(host, `/services/${SERVICE}`, { method: "DELETE" });
  await until(async () => (await containers(host)).length === 0, START_MS, 200);
}

export async function removeImages(host) {
  const filters = encodeURIComponent(JSON.stringify({ reference: [IMAGE] }));
  const images = (await ask(host, `/images/json?filters=${filters}`)).json();
  const names = images.flatMap((image) => [...(image.RepoTags ?? []), ...(image.RepoDigests ?? [])]);
  const ours = names.filter((name) => name.startsWith(`${IMAGE}:`) || name.startsWith(`${IMAGE}@`));
  for (const name of [...ours, START_IMAGE]) await removeImage(host, name);
}

/** The answer is its id. */
async function create(host) {
  if (!(await hasImage(host, START_IMAGE))) await buildStartImage(host);
  const answer = await ask(host, "/services/create", { method: "POST", body: spec, timeoutMs: 30_000 });
  if (answer.status !== 201) throw new Stop(`${SERVICE} cannot be made`, answer.text.trim());
  return answer.json().ID;
}

async function buildStartImage(host) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-demo-"));
  try {
    cpSync(sample, folder, { recursive: true });
    writeFileSync(join(folder, "version.txt"), "none yet\n");
    await buildImage(host, folder, START_IMAGE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tasks(host) {
  const filters = encodeURIComponent(JSON.stringify({ service: [SERVICE] }));
  return (await ask(host, `/tasks?filters=${filters}`)).json();
}

async function runningTasks(host) {
  const all = await tasks(host);
  return all.filter((task) => task.DesiredState === "running" && task.Status.State === "running").length;
}

async function containers(host) {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.swarm.service.name=${SERVICE}`] }));
  return (await ask(host, `/containers/json?all=true&filters=${filters}`)).json();
}

/** What Swarm says of the tasks that do not run, newest first. */
export async function taskErrors(host) {
  const all = await tasks(host);
  const wrong = all
    .filter((task) => task.Status.Err)
    .toSorted((a, b) => (a.Status.Timestamp < b.Status.Timestamp ? 1 : -1));
  return wrong.length === 0
    ? "no task says why"
    : wrong
        .slice(0, 3)
        .map((task) => task.Status.Err)
        .join("\n");
}
