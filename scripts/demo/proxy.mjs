// A proxy that follows the healthy tasks of one Swarm service: `node proxy.mjs ENGINE SERVICE PORT`.
//
// Swarm's own ingress needs IPVS, which not every kernel has; and a task's host-mode port changes with each task. So the
// tasks are read from the engine several times a second, and at once when one of its containers says something. Only a
// connection that was refused is tried elsewhere: nothing that reached a task is ever sent twice.
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { ask } from "../lib/http.mjs";

const EVERY_MS = 200;
const DRAIN_MS = 5_000;
const STALE_MS = 10_000;
const [engine, service, port] = process.argv.slice(2);

let tasks = [];
let next = 0;
let readAtMs = 0;
let reading = false;
let again = false;

/** A task that Swarm calls running has passed its health check; one that it wants stopped is left out at once. */
async function readTasks() {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  try {
    const filters = encodeURIComponent(JSON.stringify({ service: [service], "desired-state": ["running"] }));
    const answer = await ask(engine, `/tasks?filters=${filters}`, { timeoutMs: 2_000 });
    if (answer.status === 200) {
      tasks = answer.json().flatMap(target);
      readAtMs = performance.now();
    }
  } catch {
    if (performance.now() - readAtMs > STALE_MS) tasks = []; // the engine is away: the last known tasks serve for a while
  } finally {
    reading = false;
    if (again) {
      again = false;
      void readTasks();
    }
  }
}

function target(task) {
  const published = task.Status.PortStatus?.Ports?.[0]?.PublishedPort;
  return task.Status.State === "running" && published !== undefined ? [{ id: task.ID, port: published }] : [];
}

/** The engine's events of the service's containers: each is a reason to look at once. Asked again when it ends. */
function listen() {
  const label = `com.docker.swarm.service.name=${service}`;
  const filters = encodeURIComponent(JSON.stringify({ type: ["container"], label: [label] }));
  const path = `/events?filters=${filters}`;
  const later = () => setTimeout(listen, 1_000).unref();
  ask(engine, path, { timeoutMs: 3_600_000, onData: () => void readTasks() }).then(later, later);
}

function pass(request, response, tried = new Set()) {
  const candidates = tasks.filter((task) => !tried.has(task.id));
  if (candidates.length === 0) {
    refuse(response, tried.size === 0 ? 503 : 502);
    return;
  }
  const task = candidates[next++ % candidates.length];
  tried.add(task.id);
  const socket = connect({ host: "127.0.0.1", port: task.port });
  socket.once("connect", () => forward(request, response, socket, task));
  socket.once("error", (error) => {
    if (error.code === "ECONNREFUSED") pass(request, response, tried);
    else refuse(response, 502);
  });
}

function forward(request, response, socket, task) {
  socket.removeAllListeners("error");
  const headers = { ...request.headers, connection: "close" };
  const options = { method: request.method, path: request.url, headers, createConnection: () => socket };
  const onward = httpRequest(options, (answer) => {
    const { connection: _connection, "keep-alive": _keepAlive, ...kept } = answer.headers;
    response.writeHead(answer.statusCode, { ...kept, "x-task": task.id, ...(closing && { connection: "close" }) });
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  onward.on("error", () => refuse(response, 502));
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}

function refuse(response, status) {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": "text/plain" });
  response.end(status === 503 ? "no healthy task\n" : "the task did not answer\n");
}

let closing = false;
const server = createServer((request, response) => pass(request, response));
server.on("error", (error) => {
  process.stderr.write(`proxy: ${error.message}\n`);
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => process.stdout.write(`proxy of ${service} on 127.0.0.1:${port}\n`));

process.on("SIGTERM", () => {
  closing = true;
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), DRAIN_MS).unref();
});

await readTasks();
setInterval(() => void readTasks(), EVERY_MS);
listen();
