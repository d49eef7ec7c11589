import { type Static, type TSchema, Type } from "typebox";
import { Check } from "typebox/value";
import { busyboxImage } from "../support/images.ts";
import { dockerHost } from "../support/need.ts";
import { testEngine } from "../support/service.ts";
import { startImage } from "./sample.ts";
import { until } from "./until.ts";

const SECOND_NS = 1_000_000_000;
const START_MS = 30_000;

/** A service as the engine tells it. */
export interface ServiceNow {
  /** Grows with every write to the service. */
  readonly version: number;
  readonly image: string;
  /** `updating`, `completed`, `rollback_completed`, …; undefined when it was never updated. */
  readonly update: string | undefined;
  readonly updateStartedAt: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface TaskNow {
  readonly id: string;
  readonly image: string;
  readonly state: string;
  readonly desired: string;
  readonly slot: number;
}

export interface ServiceOptions {
  readonly parallelism?: number;
  readonly monitorSec?: number;
  /** One task that only sleeps, whatever the image; no port. */
  readonly tiny?: boolean;
}

/** Two replicas, start-first, rolled back on failure; host-mode ports that Swarm chooses. */
export async function createSampleService(
  name: string,
  { parallelism = 2, monitorSec = 3, tiny = false }: ServiceOptions = {},
  engine = dockerHost,
): Promise<void> {
  const replicas = tiny ? 1 : 2;
  const update = {
    Parallelism: parallelism,
    Order: "start-first" as const,
    FailureAction: "rollback" as const,
    Monitor: monitorSec * SECOND_NS,
    MaxFailureRatio: 0,
  };
  await testEngine(engine).createService({
    Name: name,
    Labels: { "kept.by": "hand" },
    TaskTemplate: {
      ContainerSpec: { ...(await contentOf(tiny, engine)), Init: true, StopGracePeriod: 10 * SECOND_NS },
      RestartPolicy: { Condition: "any", Delay: SECOND_NS },
    },
    Mode: { Replicated: { Replicas: replicas } },
    UpdateConfig: update,
    RollbackConfig: { ...update, FailureAction: "pause", Monitor: SECOND_NS / 2 },
    EndpointSpec: { Mode: "dnsrr", ...(tiny ? {} : { Ports: [WEB_PORT] }) },
  });
  const running = async () =>
    (await tasksNow(name, engine)).filter(({ state }) => state === "running").length === replicas;
  await until(`all tasks of ${name} run`, START_MS, running, async () => JSON.stringify(await tasksNow(name, engine)));
}

const WEB_PORT = { Protocol: "tcp" as const, TargetPort: 8080, PublishMode: "host" as const };

const contentOf = async (tiny: boolean, engine: string): Promise<{ Image: string; Command?: string[] }> =>
  tiny ? { Image: await busyboxImage(), Command: ["sleep", "1d"] } : { Image: await startImage(engine) };

export async function removeService(name: string, engine = dockerHost): Promise<void> {
  await testEngine(engine)
    .getService(name)
    .remove()
    .catch(() => {}); // it was never made, or is gone already
}

/** Waits until the containers of a removed service are gone too. */
export async function containersGone(name: string, engine = dockerHost): Promise<void> {
  const filters = { label: [`com.docker.swarm.service.name=${name}`] };
  const gone = async () => (await testEngine(engine).listContainers({ all: true, filters })).length === 0;
  await until(`the containers of ${name} are gone`, START_MS, gone);
}

/** The service on the engine. @throws {Error} when it is not there. */
export async function serviceNow(name: string, engine = dockerHost): Promise<ServiceNow> {
  const found = answered(InspectedService, await testEngine(engine).getService(name).inspect());
  return {
    version: found.Version.Index,
    image: found.Spec.TaskTemplate.ContainerSpec.Image,
    update: found.UpdateStatus?.State,
    updateStartedAt: found.UpdateStatus?.StartedAt,
    labels: found.Spec.Labels ?? {},
  };
}

/** Every task that the service has or had (Swarm keeps the last five of a slot). */
export async function tasksNow(name: string, engine = dockerHost): Promise<readonly TaskNow[]> {
  const tasks = answered(ListedTasks, await testEngine(engine).listTasks({ filters: { service: [name] } }));
  return tasks.map((task) => ({
    id: task.ID,
    slot: task.Slot,
    image: task.Spec.ContainerSpec.Image,
    state: task.Status.State,
    desired: task.DesiredState,
  }));
}

const ContainerSpec = Type.Object({ Image: Type.String() });
const InspectedService = Type.Object({
  Version: Type.Object({ Index: Type.Number() }),
  Spec: Type.Object({
    Labels: Type.Optional(Type.Record(Type.String(), Type.String())),
    TaskTemplate: Type.Object({ ContainerSpec }),
  }),
  UpdateStatus: Type.Optional(
    Type.Object({ State: Type.Optional(Type.String()), StartedAt: Type.Optional(Type.String()) }),
  ),
});
const ListedTasks = Type.Array(
  Type.Object({
    ID: Type.String(),
    Slot: Type.Number(),
    DesiredState: Type.String(),
    Spec: Type.Object({ ContainerSpec }),
    Status: Type.Object({ State: Type.String() }),
  }),
);

function answered<T extends TSchema>(schema: T, body: unknown): Static<T> {
  if (!Check(schema, body)) throw new Error(`the engine answers something else: ${JSON.stringify(body)}`);
  return body;
}

/** Removes the images that a world has left on the engine, by the registry that they name. */
export async function removeImages(registry: string, engine = dockerHost): Promise<void> {
  const images = await testEngine(engine).listImages({
    filters: { reference: [`${registry}/*`, `${registry}/*/*`] },
  });
  const names = images.flatMap(({ RepoTags, RepoDigests }) => [...(RepoTags ?? []), ...(RepoDigests ?? [])]);
  for (const name of names.filter((one) => one.startsWith(`${registry}/`) && !one.includes("<none>"))) {
    await testEngine(engine)
      .getImage(name)
      .remove()
      .catch(() => {}); // gone with another of its names, or in use until its container is gone
  }
}
