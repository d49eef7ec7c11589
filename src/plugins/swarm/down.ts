import { scrub } from "../../engine/secret.ts";
import { sameImage } from "./image.ts";
import { hasFailed, isWanted, type ServiceState, type TaskState } from "./state.ts";
import { progressOf } from "./verdict.ts";

const REASONS_MAX = 3;

/**
 * Why not all tasks of a service run that nothing moves, by what they say themselves; undefined when all of them do.
 *
 * Swarm calls such a service nothing at all: its update state is about updates, and a write of labels alone wipes it out.
 * Without the ids of tasks, so that a task that is started again and again gives one text.
 */
export function whyDown(service: ServiceState, tasks: readonly TaskState[]): string | undefined {
  const { done, total } = progressOf({ service: service.id, image: service.image }, { service, tasks });
  const given = total === 0 && service.replicas === "global" && isGivenUp(tasks);
  if (done >= total && !given) return undefined;
  const own = tasks.filter((task) => sameImage(task.image, service.image));
  const reasons = [...new Set(slotsOf(own).flatMap(reasonOf))].toSorted().slice(0, REASONS_MAX);
  return [`${done} of ${given ? "its" : total} tasks run`, ...reasons.map((text) => scrub(text))].join("; ");
}

/** A global service wants as many tasks as there are nodes for it: none also when its restart policy lets it start no more. */
const isGivenUp = (tasks: readonly TaskState[]): boolean => tasks.some(({ state }) => GIVEN_UP.has(state));
const GIVEN_UP: ReadonlySet<string> = new Set(["failed", "rejected", "complete"]);

/** The tasks of each slot, the newest first. */
function slotsOf(tasks: readonly TaskState[]): readonly (readonly TaskState[])[] {
  const slots = new Map<string, TaskState[]>();
  for (const task of tasks.toSorted((one, other) => Date.parse(other.createdAt) - Date.parse(one.createdAt)))
    slots.set(task.slot, [...(slots.get(task.slot) ?? []), task]);
  return [...slots.values()];
}

/** What a slot says that does not run: the last that went wrong there, or where its newest task stands. */
function reasonOf(tasks: readonly TaskState[]): readonly string[] {
  if (tasks.some((task) => task.desired === "running" && task.state === "running")) return [];
  const wanted = tasks.find((task) => isWanted(task) && task.error !== "");
  const telling = wanted ?? tasks.find((task) => hasFailed(task));
  if (telling !== undefined) return [`${telling.state}${telling.error === "" ? "" : `: ${telling.error}`}`];
  return tasks.filter(isWanted).map(({ state }) => state);
}
