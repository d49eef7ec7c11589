import type { Clock } from "../../engine/clock.ts";
import type { Secret } from "../../engine/secret.ts";

/** The part of a Docker engine's client that Swarm needs; a `Dockerode` is one. Answers are checked, so: unknown. */
export interface EngineClient {
  getService(id: string): {
    inspect(options: Call): Promise<unknown>;
    update(options: UpdateCall): Promise<unknown>;
  };
  getTask(id: string): {
    inspect(options: Call): Promise<unknown>;
    /** There in the client, not in its types. */
    logs?(options: LogsCall): Promise<unknown>;
  };
  getContainer(id: string): { inspect(options: Call): Promise<unknown> };
  listServices(options: Call): Promise<unknown>;
  listTasks(options: TasksCall): Promise<unknown>;
}

export interface Call {
  readonly abortSignal: AbortSignal;
}

export interface TasksCall extends Call {
  readonly filters: { readonly service: string[] };
}

export interface LogsCall extends Call {
  readonly stdout: true;
  readonly stderr: true;
  readonly tail: number;
}

/** `_query` and `_body` are the client's own way to keep the two apart. */
export interface UpdateCall extends Call {
  readonly _query: { readonly version: string };
  readonly _body: object;
  /** Sent as the X-Registry-Auth header, so that every node can pull. */
  readonly authconfig?: { readonly username: string; readonly password: string; readonly serveraddress: string };
}

/** Who may pull, by registry host as it stands in image names (`docker.io` for Docker Hub). */
export type Credentials = (host: string) => { readonly username: string; readonly password: Secret } | undefined;

/** What the Swarm target needs from outside. */
export interface SwarmPorts {
  /** The client of the manager that is called `host` in `contexts/`. */
  engine(host: string): EngineClient;
  readonly credentials: Credentials;
  readonly clock: Clock;
}
