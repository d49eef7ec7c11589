import { createHash } from "node:crypto";
import type { Builder } from "../../engine/cache/builder.ts";
import type { Job } from "../../engine/job.ts";
import type { Json } from "../../engine/json.ts";
import type { Pool } from "../../engine/pool.ts";
import type { Share } from "../../engine/shares.ts";
import { failure, success } from "../../term/output.ts";
import { type DockerBuildContext, type DockerBuildKey, dockerBuild } from "./build.ts";
import { type Engine, statusOf } from "./connect.ts";
import { runBuild } from "./run-build.ts";

export interface DockerCheckContext extends Pick<DockerBuildContext, "engine" | "checkout"> {
  /** The places of a build that is counted for these. */
  readonly poolFor: (shares: readonly Share[]) => Pool;
}

/** A build of what was written by somebody who need not be allowed to deploy. */
export interface DockerCheckKey {
  readonly build: DockerBuildKey;
  /** Builds of one scope may use each other's caches. */
  readonly scope: string;
  readonly network: "default" | "none";
  /** Nobody who may write to the repository wrote it. */
  readonly stranger?: boolean;
  /** Widest last. */
  readonly shares: readonly Share[];
}

/** It can be built. Its image is gone: nothing of it can be deployed. */
export interface CheckedBuild {
  readonly commit: string;
}

const TIMEOUT_MS = 50 * 60_000;
/** Where pipeline.ts names none. */
const STRANGER_TIMEOUT_MS = 20 * 60_000;
const LEVEL = "average";

/**
 * Finds out whether a commit's image can be built, away from the builds that are deployed: other places, other caches,
 * an image that is thrown away, and no network where its author is a stranger.
 *
 * Fails as `dockerBuild` does, with `CONTEXT_REFUSED` for a Dockerfile that brings its own program to read it, and with
 * `DOCKERFILE_REFUSED` for one that has the engine fetch what the build may not.
 */
export const dockerCheck: Builder<DockerCheckContext, DockerCheckKey, CheckedBuild> = {
  id: "docker-check",
  version: 1,
  level: LEVEL,
  autoCancel: true,
  key: keyOf,
  value: { encode: ({ commit }) => ({ commit }), decode: decodeChecked },
  describe: ({ build }) => `docker build ${build.dockerfile} of ${build.commit.slice(0, 10)}, to check it`,
  inputs: ({ build, scope, network }) => ({ ...dockerBuild.inputs(build), scope, network }),
  build: async (context, key, job) => {
    const { build, stranger = false } = key;
    const usual = stranger ? STRANGER_TIMEOUT_MS : TIMEOUT_MS;
    const pool = context.poolFor(key.shares);
    const started = await job.start({ level: LEVEL, pool, timeoutMs: build.timeoutMs ?? usual });
    if (!started.ok) return started;
    const files = await context.checkout(build.source, build.commit, build, job);
    if (!files.ok) return files;
    try {
      const request = {
        dir: files.value.dir,
        commit: build.commit,
        dockerfile: build.dockerfile,
        buildArgs: build.buildArgs,
        cacheScope: scopeName(key.scope),
        confined: { network: key.network, stranger },
      };
      const built = await runBuild(context.engine, request, job);
      if (!built.ok) return failure(built.error);
      await discard(context.engine, built.value, job);
      return success({ commit: build.commit });
    } finally {
      await files.value.dispose();
    }
  },
};

/** No other build has the image: its label is this scope's. Somebody else may have removed it already. */
async function discard(engine: Engine, image: string, job: Job): Promise<void> {
  try {
    await engine.client.getImage(image).remove({});
  } catch (error) {
    if (statusOf(error) !== 404)
      job.log(`The image stays on the engine: ${engine.failureOf(error, `removing ${image}`).message}`);
  }
}

/** The same length for all, and none that a trusted build has. */
const scopeName = (scope: string): string => createHash("sha256").update(`check ${scope}`).digest("hex").slice(0, 16);

/** What is built, and what it could use on the way: a check that could use a poisoned cache is none for others. */
function keyOf({ build, scope, network }: DockerCheckKey): Json {
  return { build: dockerBuild.key(build), scope, network };
}

function decodeChecked(json: Json): CheckedBuild | undefined {
  if (typeof json !== "object" || json === null || !("commit" in json)) return undefined;
  const { commit } = json;
  return typeof commit === "string" ? { commit } : undefined;
}
