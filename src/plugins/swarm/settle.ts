import type { Settled } from "../../engine/effects/target.ts";
import { problem } from "../../engine/errors.ts";
import type { Job } from "../../engine/job.ts";
import type { Failure } from "../../term/output.ts";
import type { Answer } from "./ask.ts";
import { type Evidence, gatherEvidence, nameOf } from "./evidence.ts";
import { describeService, lookAtService, lookAtTasks, type SwarmSpec } from "./observe.ts";
import type { SwarmPorts } from "./port.ts";
import type { SwarmRef } from "./ref.ts";
import type { Pace, ServiceState, TaskState } from "./state.ts";
import { judge, type Look, ownTasks, progressOf } from "./verdict.ts";

const POLL_MS = 400;
const BACK_OFF_MAX_MS = 5_000;
/** An engine that restarts, or a line that is cut, is waited for as long as this. */
const UNREACHABLE_MS = 10 * 60_000;
/** The least time that a roll-out is given, however quick the service's own configuration says it is. */
const LIMIT_MIN_MS = 15 * 60_000;

/**
 * Watches one write until the service itself says how it ended.
 *
 * An engine out of reach is asked again, less and less often, for ten minutes. A roll-out gets fifteen minutes, or twice
 * what the service's own delays, health checks and monitor time add up to when that is more. `unreachable` also when
 * the job is aborted: Swarm goes on by itself, and a later look tells.
 */
export async function settleService(ports: SwarmPorts, spec: SwarmSpec, ref: SwarmRef, job: Job): Promise<Settled> {
  const watch = startWatch(ports, spec, ref, job);
  const begunMs = ports.clock.elapsed();
  let failures = 0;
  let lostSinceMs = begunMs;
  for (;;) {
    const answer = await lookAtBoth(ports, spec, ref, job.signal);
    if (job.signal.aborted) return unreachable(ports, spec, job);
    const nowMs = ports.clock.elapsed();
    if (answer.ok) {
      if (failures > 0) job.log(`${describeService(spec)}: in reach again`);
      failures = 0;
      lostSinceMs = nowMs;
      const ended = await watch.judge(answer.value, nowMs - begunMs);
      if (ended !== undefined) return ended;
    } else {
      if (failures === 0) job.log(`${answer.error.message}; asking again`);
      failures += 1;
      if (nowMs - lostSinceMs >= UNREACHABLE_MS) return { state: "unreachable", error: answer.error };
    }
    await ports.clock.sleep(Math.min(BACK_OFF_MAX_MS, POLL_MS * 2 ** failures), job.signal);
  }
}

interface Seen {
  readonly service?: ServiceState;
  readonly tasks: readonly TaskState[];
}

async function lookAtBoth(
  ports: SwarmPorts,
  spec: SwarmSpec,
  ref: SwarmRef,
  signal: AbortSignal,
): Promise<Answer<Seen>> {
  // Tasks first: what they do is then never newer than the update state that is judged with it.
  const tasks = await lookAtTasks(ports, spec, ref.service, signal);
  const service = await lookAtService(ports, spec, ref.service, signal);
  if (!service.ok) return service;
  if (service.value?.id !== ref.service) return { ok: true, value: { tasks: [] } };
  return tasks.ok ? { ok: true, value: { service: service.value, tasks: tasks.value } } : tasks;
}

interface Watch {
  /** The ending, or undefined as long as there is none. */
  judge(seen: Seen, elapsedMs: number): Promise<Settled | undefined>;
}

function startWatch(ports: SwarmPorts, spec: SwarmSpec, ref: SwarmRef, job: Job): Watch {
  const evidence = gatherEvidence(ports, spec);
  const told = new Map<string, string>();
  const runningSinceMs = new Map<string, number>();
  const judgeLook = async (seen: Seen, elapsedMs: number): Promise<Settled | undefined> => {
    if (seen.service === undefined) return { state: "failed", evidence: `${describeService(spec)} was removed` };
    noteRunning(seen.tasks, runningSinceMs, ports.clock.elapsed());
    const runningForMs = (task: TaskState): number =>
      ports.clock.elapsed() - (runningSinceMs.get(task.id) ?? ports.clock.elapsed());
    const look: Look = { service: seen.service, tasks: seen.tasks, runningForMs };
    const own = ownTasks(ref, seen.tasks);
    tellTransitions(own, told, job);
    await evidence.look(own, job.signal);
    const verdict = judge(ref, look);
    const { done, total } = progressOf(ref, look);
    if (verdict.state === "healthy") return { state: "healthy", evidence: verdict.why };
    job.progress({ done, total, label: verdict.why });
    if (verdict.state !== "moving") {
      // The tasks were read before the service, so that which failed last may not have been seen to.
      const last = await lookAtTasks(ports, spec, ref.service, job.signal);
      if (last.ok) await evidence.look(ownTasks(ref, last.value), job.signal);
      return { state: verdict.state, evidence: explain(verdict.why, evidence) };
    }
    const limitMs = limitOf(look.service.pace, total);
    if (elapsedMs < limitMs) return undefined;
    const late = `not settled after ${Math.round(limitMs / 60_000)} minutes (${verdict.why}, ${done} of ${total} tasks)`;
    return { state: "failed", evidence: explain(late, evidence) };
  };
  return { judge: judgeLook };
}

/** Twice the sum of the service's own times, batch after batch. */
function limitOf(pace: Pace, tasks: number): number {
  const batches = Math.ceil(tasks / (pace.parallelism > 0 ? pace.parallelism : Math.max(1, tasks)));
  const batchMs = pace.healthMs + pace.stopMs + pace.delayMs + pace.monitorMs;
  return Math.max(LIMIT_MIN_MS, 2 * batches * batchMs);
}

function explain(why: string, evidence: Evidence): string {
  const text = evidence.text();
  return text === "" ? why : `${why}\n${text}`;
}

function noteRunning(tasks: readonly TaskState[], sinceMs: Map<string, number>, nowMs: number): void {
  for (const { id, state } of tasks) if (state === "running" && !sinceMs.has(id)) sinceMs.set(id, nowMs);
}

/** One line for each new state of each task. */
function tellTransitions(tasks: readonly TaskState[], told: Map<string, string>, job: Job): void {
  for (const task of tasks) {
    const now = `${task.state}${task.error === "" ? "" : `: ${task.error}`}`;
    if (told.get(task.id) === now) continue;
    told.set(task.id, now);
    job.log(`task ${nameOf(task)}: ${now}`);
  }
}

function unreachable(ports: SwarmPorts, spec: SwarmSpec, job: Job): Settled {
  const why = typeof job.signal.reason === "string" ? job.signal.reason : "cancelled";
  const error: Failure = problem("CANCELLED", `no longer watching ${describeService(spec)}: ${why}`);
  job.log(`${error.message}; Swarm goes on by itself (${new Date(ports.clock.now()).toISOString()})`);
  return { state: "unreachable", error };
}
