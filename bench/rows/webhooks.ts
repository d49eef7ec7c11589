import { createHmac } from "node:crypto";
import { Agent, type ClientRequest, type OutgoingHttpHeaders, request } from "node:http";
import { percentile } from "../maths.ts";
import type { Figures, Task } from "../task.ts";
import { cpuMs } from "./meter.ts";
import { type Receiver, withReceiver } from "./receiver.ts";

const CONNECTIONS = 50;
const PAYLOAD_BYTES = 20_000;
const UNSIGNED_BYTES = 200 * 2 ** 20;
const CHUNK = Buffer.alloc(2 ** 20, "x");

interface Delivery {
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly tookMs: number;
}

/** Signed deliveries of 20 kB to the real server, each answered when it is durable; then all of them once more. */
export async function measureWebhooks(task: Task): Promise<Figures> {
  return withReceiver(async (receiver) => {
    const deliveries = Array.from({ length: task.size }, (_, number) => signed(receiver, number));
    const [server, client, start] = [receiver.cpuMs(), cpuMs(), performance.now()];
    const answers = await send(receiver, deliveries);
    const seconds = (performance.now() - start) / 1_000;
    const cpu = { serverCpuMs: receiver.cpuMs() - server, clientCpuMs: cpuMs() - client };
    // What was confirmed has to be there: only then it is known when it comes again.
    const again = await send(receiver, deliveries);
    const kept = again.filter(({ status, text }) => status === 202 && text.includes("taken before")).length;
    const times = answers.map(({ tookMs }) => tookMs);
    const [p50Ms, p99Ms, maxMs] = [0.5, 0.99, 1].map((part) => percentile(times, part));
    const refused = answers.filter(({ status }) => status !== 202).length;
    return measured({ p50Ms, p99Ms, maxMs, ...cpu, aSecond: task.size / seconds, refused, lost: task.size - kept });
  });
}

/** Bodies of 200 MB whose signature is wrong, all at once and without a length: what each costs at most. */
export async function measureUnsigned(task: Task): Promise<Figures> {
  return withReceiver(async (receiver) => {
    const agent = new Agent({ maxSockets: task.size });
    // The first delivery of all loads what the next ones need as well.
    await send(receiver, [signed(receiver, 0)]);
    const before = receiver.memoryBytes();
    const cpu = receiver.cpuMs();
    const headers = headersOf("unsigned", "0".repeat(64));
    const answers = await Promise.all(Array.from({ length: task.size }, () => post(receiver, agent, headers, pour)));
    agent.destroy();
    const growth = receiver.memoryBytes().most - before.now;
    const taken = answers.filter(({ status }) => status >= 200 && status < 300).length;
    return measured({
      growthMB: growth / task.size / 1e6,
      bodyCpuMs: (receiver.cpuMs() - cpu) / task.size,
      taken,
    });
  });
}

/** A push to a repository that is not in the pipeline. */
function signed({ secret }: Receiver, number: number): Delivery {
  const text = JSON.stringify({ repository: { id: 1e9, full_name: "other/repo" }, number, pad: "" });
  const body = text.replace('"pad":""', `"pad":"${"x".repeat(PAYLOAD_BYTES - text.length)}"`);
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  return { body, headers: { ...headersOf(`burst-${number}`, signature), "content-length": Buffer.byteLength(body) } };
}

const headersOf = (delivery: string, signature: string): OutgoingHttpHeaders => ({
  "content-type": "application/json",
  "x-github-event": "push",
  "x-github-delivery": delivery,
  "x-hub-signature-256": `sha256=${signature}`,
});

/** A connection sends its next one when it has its answer. */
async function send(receiver: Receiver, deliveries: readonly Delivery[]): Promise<readonly Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const left = deliveries.values();
  const answers: Answer[] = [];
  const connection = async (): Promise<void> => {
    for (const { headers, body } of left) answers.push(await post(receiver, agent, headers, (to) => to.end(body)));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  agent.destroy();
  return answers;
}

/** A connection that breaks off is an answer too: of status 0. */
function post(
  { url }: Receiver,
  agent: Agent,
  headers: OutgoingHttpHeaders,
  write: (to: ClientRequest) => void,
): Promise<Answer> {
  const start = performance.now();
  return new Promise((resolve) => {
    const done = (status: number, text: string): void => resolve({ status, text, tookMs: performance.now() - start });
    const to = request(`${url}/webhooks/github`, { method: "POST", agent, headers }, (reply) => {
      let text = "";
      reply.setEncoding("utf8").on("data", (part: string) => void (text += part));
      reply.on("end", () => done(reply.statusCode ?? 0, text));
    });
    to.on("error", ({ message }) => done(0, message));
    write(to);
  });
}

/** As much as the other side takes, up to the end. */
function pour(to: ClientRequest): void {
  let left = UNSIGNED_BYTES / CHUNK.length;
  const more = (): void => {
    while (left > 0 && !to.destroyed) {
      left -= 1;
      if (!to.write(CHUNK)) return void to.once("drain", more);
    }
    to.end();
  };
  more();
}

/** What cannot be measured on this system is left out. */
const measured = (found: Readonly<Record<string, number | undefined>>): Figures =>
  Object.fromEntries(
    Object.entries(found).flatMap(([name, figure]): [string, number][] =>
      figure === undefined || !Number.isFinite(figure) ? [] : [[name, figure]],
    ),
  );
