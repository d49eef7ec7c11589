import type { Engine } from "../engine/engine.ts";
import type { Pool } from "../engine/pool.ts";
import type { DockerBuildContext, DockerPushContext } from "../plugins/docker/index.ts";
import type { GitContext } from "../plugins/git/index.ts";
import type { tagKind } from "../plugins/registry/index.ts";
import type { swarmKind } from "../plugins/swarm/index.ts";

/** The way to the outside: made by `app/`, used by `lower.ts` and the tables beside it. */
export interface Ports {
  readonly engine: Engine;
  readonly git: GitContext;
  readonly build: DockerBuildContext;
  readonly push: DockerPushContext;
  readonly swarm: ReturnType<typeof swarmKind>;
  readonly tag: ReturnType<typeof tagKind>;
  readonly pools: readonly Pool[];
  /** The flavour: owner of every target. */
  readonly owner: string;
  /** The folder of pipeline.ts; relative paths in it begin there. */
  readonly folder: string;
}
