import type { Observed } from "../../engine/effects/target.ts";
import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";
import { type Answer, ask } from "./ask.ts";
import { whyDown } from "./down.ts";
import { textAt } from "./fields.ts";
import { canonicalImage, sameImage } from "./image.ts";
import type { SwarmPorts } from "./port.ts";
import { receiptOf } from "./receipt.ts";
import { refCodec } from "./ref.ts";
import { similarNames } from "./similar.ts";
import { isWanted, readService, readTasks, type ServiceState, type TaskState } from "./state.ts";

/** One service of one Swarm. */
export interface SwarmSpec {
  /** Name of the manager in `contexts/`. */
  readonly host: string;
  readonly service: string;
}

/** What is there. `running` is the image in its canonical spelling. */
export interface SwarmSeen extends Observed {
  /** Absent when the service does not exist. */
  readonly service?: ServiceState;
  /** Names like the one that is missing. */
  readonly similar: readonly string[];
}

/** How long one read may take. */
const READ_LIMIT_MS = 10_000;

/** Swarm takes more, but a name that is part of a path and of a lane may be no more than this. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

export const describeService = (spec: SwarmSpec): string => `swarm service ${spec.service} on ${spec.host}`;

/**
 * Reads a service and its containers' state. Changes nothing.
 *
 * Fails with `SERVICE_NAME`, `SERVICE_KIND` (a job), `ENGINE_UNREACHABLE`, `SWARM_NOT_READY`, `ENGINE_FAULT`,
 * `ENGINE_REFUSED` or `CANCELLED`. A service that does not exist is no failure.
 */
export async function observeService(
  ports: SwarmPorts,
  spec: SwarmSpec,
  signal: AbortSignal,
): Promise<Result<SwarmSeen>> {
  if (!NAME.test(spec.service)) {
    const expected = "expected letters, digits, _ . and -, 63 at most, beginning with a letter or digit";
    return failure(problem("SERVICE_NAME", `service name ${JSON.stringify(spec.service)}: ${expected}`));
  }
  const found = await readNamed(ports, spec, signal);
  if (!found.ok) return found;
  if (found.value === undefined) return missing(ports, spec, signal);
  const service = found.value;
  if (service.replicas === "job") {
    return failure(
      problem("SERVICE_KIND", `${describeService(spec)} is a job: expected a replicated or global service`),
    );
  }
  const tasks = await lookAtTasks(ports, spec, service.id, signal);
  return tasks.ok ? success(seenOf(service, tasks.value)) : failure(tasks.error);
}

/** The names of all services of a host, sorted. Fails as `observeService` does. */
export async function listServices(
  ports: SwarmPorts,
  host: string,
  signal: AbortSignal,
): Promise<Result<readonly string[]>> {
  const question = { doing: `listing the services on ${host}`, limitMs: READ_LIMIT_MS, signal };
  const answer = await ask(ports.clock, question, (abortSignal) => ports.engine(host).listServices({ abortSignal }));
  if (!answer.ok) return failure(answer.error);
  const services = Array.isArray(answer.value) ? answer.value : [];
  return success(services.map((service: unknown) => textAt(service, "Spec", "Name")).toSorted());
}

/** The service of this id or name; undefined when there is none. */
export async function lookAtService(
  ports: SwarmPorts,
  spec: SwarmSpec,
  id: string,
  signal: AbortSignal,
): Promise<Answer<ServiceState | undefined>> {
  const doing = `looking at ${describeService(spec)}`;
  const question = { doing, limitMs: READ_LIMIT_MS, signal };
  const service = ports.engine(spec.host).getService(id);
  const answer = await ask(ports.clock, question, (abortSignal) => service.inspect({ abortSignal }));
  if (!answer.ok) return answer.status === 404 ? { ok: true, value: undefined } : answer;
  const state = readService(answer.value);
  if (state !== undefined) return { ok: true, value: state };
  return { ok: false, error: problem("ENGINE_FAULT", `while ${doing}: got an answer that describes no service`) };
}

/** All tasks of a service that Swarm still remembers, the ended ones too. */
export async function lookAtTasks(
  ports: SwarmPorts,
  spec: SwarmSpec,
  id: string,
  signal: AbortSignal,
): Promise<Answer<readonly TaskState[]>> {
  const question = { doing: `looking at the tasks of ${describeService(spec)}`, limitMs: READ_LIMIT_MS, signal };
  const filters = { service: [id] };
  const engine = ports.engine(spec.host);
  const answer = await ask(ports.clock, question, (abortSignal) => engine.listTasks({ filters, abortSignal }));
  return answer.ok ? { ok: true, value: readTasks(answer.value) } : answer;
}

/** By name: the engine also takes the beginning of another service's id for it. */
async function readNamed(
  ports: SwarmPorts,
  spec: SwarmSpec,
  signal: AbortSignal,
): Promise<Result<ServiceState | undefined>> {
  const answer = await lookAtService(ports, spec, spec.service, signal);
  if (!answer.ok) return failure(answer.error);
  return success(answer.value?.name === spec.service ? answer.value : undefined);
}

async function missing(ports: SwarmPorts, spec: SwarmSpec, signal: AbortSignal): Promise<Result<SwarmSeen>> {
  const names = await listServices(ports, spec.host, signal);
  const similar = names.ok ? similarNames(spec.service, names.value) : [];
  return success({ exists: false, version: "", motion: "steady", ref: null, similar });
}

function seenOf(service: ServiceState, tasks: readonly TaskState[]): SwarmSeen {
  const receipt = receiptOf(service.labels);
  const { id, image } = service;
  const motion = motionOf(service, tasks);
  const down = motion === "steady" || motion === "rolled-back" ? whyDown(service, tasks) : undefined;
  return {
    exists: true,
    running: canonicalImage(image),
    version: service.version,
    motion,
    ...(down === undefined ? {} : { down }),
    service,
    similar: [],
    ref: refCodec.encode({ service: id, image }),
    ...(receipt === undefined ? {} : { receipt }),
  };
}

function motionOf(service: ServiceState, tasks: readonly TaskState[]): Observed["motion"] {
  switch (service.update?.state ?? "") {
    case "updating":
    case "rollback_started":
      return "moving";
    case "paused":
    case "rollback_paused":
      return "failed";
    case "rollback_completed":
      return "rolled-back";
    default: {
      // Swarm has not begun yet: right after a write there is no update state at all.
      const behind = tasks.some((task) => isWanted(task) && !sameImage(task.image, service.image));
      return behind ? "moving" : "steady";
    }
  }
}
