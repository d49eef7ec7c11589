import type { Engine } from "../engine/engine.ts";
import type { Hints } from "../engine/inbound.ts";
import type { Pool } from "../engine/pool.ts";
import type { DockerBuildContext, DockerPushContext, dockerBuild } from "../plugins/docker/index.ts";
import type { GitContext, GitSource, gitFetch } from "../plugins/git/index.ts";
import type { GitHub } from "../plugins/github/index.ts";
import type { tagKind } from "../plugins/registry/index.ts";
import type { swarmKind } from "../plugins/swarm/index.ts";
import type { Result } from "../term/output.ts";
import type { CheckPorts } from "./checks.ts";
import type { DeployTellers } from "./tell-deploys.ts";

/** The way to the outside: made by `app/`, used by `lower.ts` and the tables beside it. */
export interface Ports {
  readonly engine: Engine;
  readonly git: GitContext;
  /** The branches of a repository, and a hint that they may have moved; `watch` returns how to stop. */
  readonly heads: {
    read(source: GitSource, signal: AbortSignal): Promise<Result<ReadonlyMap<string, string>>>;
    watch(source: GitSource, onChange: () => void): () => void;
    /** When commits were committed, by commit, where they say so; without it nobody can tell before a commit is fetched. */
    readonly dates?: (
      source: GitSource,
      commits: readonly string[],
      signal: AbortSignal,
    ) => Promise<Result<ReadonlyMap<string, number | undefined>>>;
  };
  readonly builders: { readonly fetch: typeof gitFetch; readonly build: typeof dockerBuild };
  readonly build: DockerBuildContext;
  readonly push: DockerPushContext;
  readonly swarm: ReturnType<typeof swarmKind>;
  readonly tag: ReturnType<typeof tagKind>;
  /** GitHub; without its app repositories there are read as anybody sees them. */
  readonly forge?: {
    readonly github?: GitHub;
    readonly hints?: Hints;
    /** Where git finds repositories; default `https://github.com`. */
    readonly web?: string;
  };
  /** Checks of branches and pull requests; without them only what is deployed is built. */
  readonly checks?: CheckPorts;
  /** Who is told of deploys; nobody without it. */
  readonly tellers?: DeployTellers;
  readonly pools: readonly Pool[];
  /** The flavour: owner of every target. */
  readonly owner: string;
  /** The folder of pipeline.ts; relative paths in it begin there. */
  readonly folder: string;
}
