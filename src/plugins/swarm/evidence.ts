import { scrub } from "../../engine/secret.ts";
import { ask } from "./ask.ts";
import type { SwarmSpec } from "./observe.ts";
import type { SwarmPorts } from "./port.ts";
import { hasFailed, isWanted, readHealth, type TaskState } from "./state.ts";

const LINES_MAX = 20;
const TASKS_MAX = 3;
const BYTES_MAX = 4_096;
/** Evidence is welcome, but a node that does not answer must not hold up the verdict. */
const LIMIT_MS = 5_000;

/** Gathers, while a change rolls out, what will explain its failure: Swarm removes failed tasks at its own pace. */
export interface Evidence {
  /** Looks at the tasks of the change; call it at every poll. Reads only what is new. */
  look(tasks: readonly TaskState[], signal: AbortSignal): Promise<void>;
  /** Errors, last log lines and last health answer of the failed tasks, three at most; without secrets. */
  text(): string;
}

interface Trace {
  task: TaskState;
  health?: string;
  log?: string;
}

export function gatherEvidence(ports: SwarmPorts, spec: SwarmSpec): Evidence {
  const traces = new Map<string, Trace>();
  const look = async (tasks: readonly TaskState[], signal: AbortSignal): Promise<void> => {
    for (const task of tasks) {
      const trace = traces.get(task.id) ?? { task };
      trace.task = task;
      traces.set(task.id, trace);
    }
    const starting = tasks.filter((task) => task.state === "starting" && task.containerId !== "");
    for (const task of starting.slice(0, TASKS_MAX)) await readHealthOf(ports, spec, traces.get(task.id), signal);
    const ended = [...traces.values()].filter(({ task, log }) => hasFailed(task) && log === undefined);
    for (const trace of ended.slice(0, TASKS_MAX)) {
      await readHealthOf(ports, spec, trace, signal);
      trace.log = await readLog(ports, spec, trace.task, signal);
    }
  };
  return { look, text: () => textOf([...traces.values()]) };
}

/** Keeps the last answer that was not a good one; only tasks on this very engine can be asked. */
async function readHealthOf(
  ports: SwarmPorts,
  spec: SwarmSpec,
  trace: Trace | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (trace === undefined || trace.task.containerId === "") return;
  const container = ports.engine(spec.host).getContainer(trace.task.containerId);
  const question = { doing: "reading a health answer", limitMs: LIMIT_MS, signal };
  const answer = await ask(ports.clock, question, (abortSignal) => container.inspect({ abortSignal }));
  const health = answer.ok ? readHealth(answer.value) : undefined;
  if (health === undefined || health.exitCode === 0) return;
  trace.health = `exit status ${health.exitCode}${health.output === "" ? "" : `: ${health.output}`}`;
}

async function readLog(ports: SwarmPorts, spec: SwarmSpec, task: TaskState, signal: AbortSignal): Promise<string> {
  if (task.containerId === "") return ""; // it never ran
  const client = ports.engine(spec.host).getTask(task.id);
  const question = { doing: "reading a task's log", limitMs: LIMIT_MS, signal };
  const answer = await ask(ports.clock, question, async (abortSignal) =>
    client.logs?.({ stdout: true, stderr: true, tail: LINES_MAX, abortSignal }),
  );
  return answer.ok && Buffer.isBuffer(answer.value) ? plainLog(answer.value) : "";
}

/**
 * Without the frame headers that mark standard output and error; a task with a terminal has none.
 *
 * @source https://docs.docker.com/reference/api/engine/version/v1.45/#tag/Container/operation/ContainerAttach
 */
export function plainLog(raw: Buffer): string {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 8 <= raw.length && (raw[at] ?? 3) <= 2 && raw.readUIntBE(at + 1, 3) === 0) {
    const end = at + 8 + raw.readUInt32BE(at + 4);
    parts.push(raw.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(at < raw.length ? [...parts, raw.subarray(at)] : parts).toString("utf8");
}

function textOf(traces: readonly Trace[]): string {
  const failed = traces.filter(({ task }) => hasFailed(task));
  const stuck = traces.filter(({ task }) => !hasFailed(task) && isWanted(task) && task.state !== "running");
  const telling = [...(failed.length > 0 ? failed : stuck)].toReversed().slice(0, TASKS_MAX);
  return scrub(telling.map(linesOf).join("\n")).slice(0, BYTES_MAX);
}

function linesOf({ task, health, log }: Trace): string {
  const lines = [`task ${nameOf(task)}: ${task.state}${task.error === "" ? "" : `: ${task.error}`}`];
  if (health !== undefined) lines.push(`  last health answer: ${health.replaceAll("\n", "\n    ")}`);
  const tail = (log ?? "").trimEnd().split("\n").slice(-LINES_MAX);
  if (tail[0] !== "" || tail.length > 1) lines.push("  last lines of its log:", ...tail.map((line) => `    ${line}`));
  return lines.join("\n");
}

/** Slot and the beginning of the id, as `docker service ps` shows them. */
export const nameOf = (task: TaskState): string => `${task.slot.slice(0, 12)} (${task.id.slice(0, 12)})`;
