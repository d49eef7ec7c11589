import { canonicalImage, sameImage } from "./image.ts";
import type { SwarmRef } from "./ref.ts";
import { hasFailed, isWanted, type ServiceState, type TaskState } from "./state.ts";

/** What one look at a service says about one write. */
export type Verdict =
  | { readonly state: "moving"; readonly why: string }
  | { readonly state: "healthy" | "rolled-back" | "failed"; readonly why: string };

export interface Look {
  readonly service: ServiceState;
  readonly tasks: readonly TaskState[];
  /** For how long, in milliseconds, a task has been seen running. */
  readonly runningForMs: (task: TaskState) => number;
}

/**
 * How the write stands, by the service's own state: pure, and the whole rule.
 *
 * Healthy needs all of: no update under way, every task that Swarm wants runs the image, and as many as configured (a
 * task with a health check is `running` only once it is healthy). Where a task of this write has failed before, the
 * others must moreover have run for the monitor time: Swarm itself watches no longer when its failure action is
 * `continue`.
 */
export function judge(ref: SwarmRef, look: Look): Verdict {
  const { service } = look;
  const update = updateOf(ref, service);
  if (update?.state === "rollback_completed") return { state: "rolled-back", why: update.message };
  if (update?.state === "rollback_started") return { state: "moving", why: "rolling back" };
  if (update?.state === "paused" || update?.state === "rollback_paused") {
    return { state: "failed", why: `${update.state}: ${update.message}` };
  }
  if (!sameImage(service.image, ref.image)) {
    return { state: "failed", why: `somebody else has changed the service: it is to run ${service.image} now` };
  }
  if (update?.state === "updating") return { state: "moving", why: "updating" };
  return judgeTasks(ref, look);
}

/** Tasks that run the image, of those there are to be. */
export function progressOf(
  ref: SwarmRef,
  { service, tasks }: Pick<Look, "service" | "tasks">,
): { readonly done: number; readonly total: number } {
  const wanted = tasks.filter(isWanted);
  const slots = new Set(wanted.map((task) => task.slot)).size;
  const total = typeof service.replicas === "number" ? service.replicas : slots;
  return { done: Math.min(total, wanted.filter((task) => runs(ref, task)).length), total };
}

/** The tasks that this write has made, also those that have ended. */
export function ownTasks(ref: SwarmRef, tasks: readonly TaskState[]): readonly TaskState[] {
  const sinceMs = ref.updatedBefore === undefined ? 0 : Date.parse(ref.updatedBefore);
  return tasks.filter((task) => sameImage(task.image, ref.image) && Date.parse(task.createdAt) >= sinceMs);
}

function judgeTasks(ref: SwarmRef, look: Look): Verdict {
  const { service, tasks, runningForMs } = look;
  const wanted = tasks.filter(isWanted);
  const { done, total } = progressOf(ref, look);
  if (wanted.some((task) => !runs(ref, task)) || done < total || wanted.length > total) {
    return { state: "moving", why: "starting" };
  }
  const shaky = ownTasks(ref, tasks).some(hasFailed);
  const { monitorMs } = service.pace;
  if (shaky && wanted.some((task) => runningForMs(task) < monitorMs)) {
    return { state: "moving", why: "a task has failed: watching the others" };
  }
  const count = total === 1 ? "1 task runs" : `${total} tasks run`;
  return { state: "healthy", why: `${count} ${canonicalImage(ref.image)}` };
}

const runs = (ref: SwarmRef, task: TaskState): boolean =>
  task.desired === "running" && task.state === "running" && sameImage(task.image, ref.image);

/** The service's update state, unless it is still that of the update before. */
const updateOf = (ref: SwarmRef, { update }: ServiceState): ServiceState["update"] =>
  update === undefined || update.startedAt === ref.startedBefore ? undefined : update;
