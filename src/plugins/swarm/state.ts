import { dig, type Fields, isFields, listAt, numberAt, textAt } from "./fields.ts";

/** A service as its manager tells it; durations in milliseconds, times as the manager wrote them. */
export interface ServiceState {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** When the service was last changed, by the manager's clock. */
  readonly updatedAt: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** undefined: one on every node · "job": runs to an end, never rolls. */
  readonly replicas: number | "global" | "job";
  /** Absent right after every write, and for good when the write replaced no task. */
  readonly update?: UpdateState;
  readonly pace: Pace;
  /** The whole spec as inspected, to be sent back with two fields changed. */
  readonly spec: Fields;
}

/** @source https://docs.docker.com/reference/api/engine/version/v1.45/#tag/Service/operation/ServiceInspect */
export interface UpdateState {
  /** updating · paused · completed · rollback_started · rollback_paused · rollback_completed */
  readonly state: string;
  /** Kept from the update when Swarm turns to rolling back. */
  readonly startedAt: string;
  readonly message: string;
}

/** What the service's own configuration says about how long an update may take. */
export interface Pace {
  readonly parallelism: number;
  readonly delayMs: number;
  readonly monitorMs: number;
  /** Start period and all retries of the health check. */
  readonly healthMs: number;
  readonly stopMs: number;
}

export interface TaskState {
  readonly id: string;
  /** Slot, or the node's id for a global service. */
  readonly slot: string;
  readonly image: string;
  /** running · ready (held until its forerunner has gone) · shutdown · remove */
  readonly desired: string;
  readonly state: string;
  readonly error: string;
  readonly containerId: string;
  readonly createdAt: string;
}

/** Swarm's own default for `UpdateConfig.Monitor`. */
const MONITOR_MS = 5_000;
const NS_PER_MS = 1e6;

/** undefined when the answer has not the shape of a service. */
export function readService(answer: unknown): ServiceState | undefined {
  const spec = dig(answer, "Spec");
  const version = dig(answer, "Version", "Index");
  const id = textAt(answer, "ID");
  if (!isFields(spec) || typeof version !== "number" || id === "") return undefined;
  const state = textAt(answer, "UpdateStatus", "State");
  const startedAt = textAt(answer, "UpdateStatus", "StartedAt");
  const message = textAt(answer, "UpdateStatus", "Message");
  return {
    id,
    name: textAt(spec, "Name"),
    version: String(version),
    updatedAt: textAt(answer, "UpdatedAt"),
    image: textAt(spec, "TaskTemplate", "ContainerSpec", "Image"),
    labels: textsOf(dig(spec, "Labels")),
    replicas: replicasOf(spec),
    ...(state === "" ? {} : { update: { state, startedAt, message } }),
    pace: paceOf(spec),
    spec,
  };
}

function readTask(answer: unknown): TaskState {
  const slot = numberAt(answer, ["Slot"]);
  return {
    id: textAt(answer, "ID"),
    slot: slot > 0 ? String(slot) : textAt(answer, "NodeID"),
    image: textAt(answer, "Spec", "ContainerSpec", "Image"),
    desired: textAt(answer, "DesiredState"),
    state: textAt(answer, "Status", "State"),
    error: textAt(answer, "Status", "Err"),
    containerId: textAt(answer, "Status", "ContainerStatus", "ContainerID"),
    createdAt: textAt(answer, "CreatedAt"),
  };
}

export const readTasks = (answer: unknown): readonly TaskState[] =>
  (Array.isArray(answer) ? answer : []).map((task: unknown) => readTask(task));

/** Whether Swarm still wants this task to run. */
export const isWanted = (task: TaskState): boolean => task.desired === "running" || task.desired === "ready";

/** Whether the task came to an end that nobody asked for: a service's task is never meant to end. */
export const hasFailed = (task: TaskState): boolean =>
  task.state === "failed" || task.state === "rejected" || task.state === "complete" || task.state === "orphaned";

/** The newest answer of a container's health check; undefined without one. */
export function readHealth(container: unknown): { readonly exitCode: number; readonly output: string } | undefined {
  const last = listAt(container, "State", "Health", "Log").at(-1);
  return last === undefined
    ? undefined
    : { exitCode: numberAt(last, ["ExitCode"]), output: textAt(last, "Output").trim() };
}

function replicasOf(spec: Fields): ServiceState["replicas"] {
  if (dig(spec, "Mode", "Global") !== undefined) return "global";
  if (dig(spec, "Mode", "ReplicatedJob") !== undefined || dig(spec, "Mode", "GlobalJob") !== undefined) return "job";
  return numberAt(spec, ["Mode", "Replicated", "Replicas"], 1);
}

function paceOf(spec: Fields): Pace {
  const ms = (path: readonly string[], absentMs = 0): number => numberAt(spec, path) / NS_PER_MS || absentMs;
  const health = (name: string): readonly string[] => ["TaskTemplate", "ContainerSpec", "Healthcheck", name];
  const retries = numberAt(spec, health("Retries")) || 3;
  return {
    parallelism: numberAt(spec, ["UpdateConfig", "Parallelism"], 1),
    delayMs: ms(["UpdateConfig", "Delay"]),
    monitorMs: ms(["UpdateConfig", "Monitor"], MONITOR_MS),
    healthMs: ms(health("StartPeriod")) + retries * (ms(health("Interval"), 30_000) + ms(health("Timeout"), 30_000)),
    stopMs: ms(["TaskTemplate", "ContainerSpec", "StopGracePeriod"], 10_000),
  };
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  if (isFields(value))
    for (const [name, text] of Object.entries(value)) if (typeof text === "string") texts[name] = text;
  return texts;
}
