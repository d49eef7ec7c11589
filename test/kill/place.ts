import { type Static, type TSchema, Type } from "typebox";
import { Check } from "typebox/value";
import { startWorld, type World } from "../scenario/rig.ts";
import { busyboxImage } from "../support/images.ts";
import { dockerHost } from "../support/need.ts";
import { type RecordingProxy, recordEngine, recordRegistry } from "../support/recording-proxy.ts";
import { startRegistry } from "../support/registry.ts";
import { testEngine } from "../support/service.ts";
import type { Seen } from "./witness.ts";

/** Branches of the one repository; each is rolled out on services of its own. */
export const BRANCHES = ["east", "west"] as const;

/** A world with several services for each branch, and a place to listen on each of its ways out. */
export interface Place {
  readonly world: World;
  readonly engine: RecordingProxy;
  readonly registry: RecordingProxy;
  /** Names of the services of a branch, as the engine knows them. */
  services(branch: string): readonly string[];
  /** What is on the engine now. */
  seen(): Promise<Seen>;
  /** Every task that the engine still knows of these services. */
  tasks(): Promise<readonly Task[]>;
  /** The version that is written in an image. */
  versionOf(image: string): Promise<string>;
  close(): Promise<void>;
}

export interface Task {
  readonly id: string;
  readonly service: string;
  readonly image: string;
  readonly state: string;
  readonly desired: string;
}

/** @param each Services for each branch. */
export async function startPlace(each: number): Promise<Place> {
  const engine = await recordEngine(dockerHost);
  const real = await startRegistry();
  const registry = await recordRegistry(real.host);
  const shorts = (branch: string): readonly string[] => Array.from({ length: each }, (_, index) => `${branch}${index}`);
  const world = await startWorld({
    services: BRANCHES.flatMap(shorts),
    repos: (names) => {
      const branches = BRANCHES.map((branch) => {
        const targets = shorts(branch).map((short) => `swarm(here, "${names.service(short)}")`);
        return `${branch}: publish("${names.image}:${branch}", ${targets.join(", ")})`;
      });
      return `"team/hello": from(git("./hello.git"), docker("Dockerfile", { ${branches.join(", ")} })),`;
    },
    tiny: true,
    monitorSec: 0.2,
    engine: engine.address,
    registry: real,
    registryHost: registry.address,
  });
  const all = BRANCHES.flatMap(shorts).map((short) => world.service(short));
  return {
    world,
    engine,
    registry,
    services: (branch) => shorts(branch).map((short) => world.service(short)),
    seen: () => seenOf(all),
    tasks: () => tasksOf(all),
    versionOf: versionIn,
    close: async () => {
      await world.close();
      await engine.dispose();
      await registry.dispose();
    },
  };
}

/** A Dockerfile that only labels: built and pushed in no time, and different for each version. */
export const dockerfileOf = async (version: string): Promise<string> =>
  `FROM ${await busyboxImage()}\nLABEL ${LABEL}=${version}\n`;

const LABEL = "kill.version";
const versions = new Map<string, string>();

async function versionIn(image: string): Promise<string> {
  const known = versions.get(image);
  if (known !== undefined) return known;
  const found = checked(Inspected, await testEngine().getImage(image).inspect());
  const version = found.Config.Labels?.[LABEL] ?? "start";
  versions.set(image, version);
  return version;
}

async function seenOf(names: readonly string[]): Promise<Seen> {
  const tasks = await tasksOf(names, { "desired-state": ["running"] });
  const running = tasks.filter(({ state }) => state === "running");
  const services = checked(Services, await testEngine().listServices({ filters: { name: [...names] } }));
  return new Map(
    services.map(({ Spec }) => [
      Spec.Name,
      {
        image: Spec.TaskTemplate.ContainerSpec.Image,
        tasks: running.filter(({ service }) => service === Spec.Name).map(({ image }) => image),
      },
    ]),
  );
}

async function tasksOf(
  names: readonly string[],
  more: Readonly<Record<string, string[]>> = {},
): Promise<readonly Task[]> {
  const services = checked(Services, await testEngine().listServices({ filters: { name: [...names] } }));
  const nameOf = new Map(services.map(({ ID, Spec }) => [ID, Spec.Name]));
  const tasks = checked(Tasks, await testEngine().listTasks({ filters: { service: [...names], ...more } }));
  return tasks.map((task) => ({
    id: task.ID,
    service: nameOf.get(task.ServiceID) ?? task.ServiceID,
    image: task.Spec.ContainerSpec.Image,
    state: task.Status.State,
    desired: task.DesiredState,
  }));
}

const ContainerSpec = Type.Object({ Image: Type.String() });
const Services = Type.Array(
  Type.Object({
    ID: Type.String(),
    Spec: Type.Object({ Name: Type.String(), TaskTemplate: Type.Object({ ContainerSpec }) }),
  }),
);
const Tasks = Type.Array(
  Type.Object({
    ID: Type.String(),
    ServiceID: Type.String(),
    DesiredState: Type.String(),
    Spec: Type.Object({ ContainerSpec }),
    Status: Type.Object({ State: Type.String() }),
  }),
);
const Inspected = Type.Object({
  Config: Type.Object({
    Labels: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])),
  }),
});

function checked<T extends TSchema>(schema: T, body: unknown): Static<T> {
  if (!Check(schema, body)) throw new Error(`the engine answers something else: ${JSON.stringify(body)}`);
  return body;
}
