import { createHash } from "node:crypto";
import type { Builder } from "../../engine/cache/builder.ts";
import type { Job } from "../../engine/job.ts";
import type { Json } from "../../engine/json.ts";
import type { Pool } from "../../engine/pool.ts";
import type { Result } from "../../term/output.ts";
import { failure, success } from "../../term/output.ts";
import type { Engine } from "./connect.ts";
import { textOf } from "./events.ts";
import { runBuild } from "./run-build.ts";

/** A commit's files; made by the port `checkout`, and removed again when the build is over. */
export interface Files {
  readonly dir: string;
  dispose(): Promise<void>;
}

/** Which files of a commit are wanted. */
export interface FileOptions {
  readonly includeGit: boolean;
  /** Default true. */
  readonly submodules?: boolean;
}

export interface DockerBuildContext {
  readonly engine: Engine;
  /** How many builds the engine runs at the same time. */
  readonly pool: Pool;
  /** A clean checkout. */
  readonly checkout: (
    source: { readonly url: string },
    commit: string,
    options: FileOptions,
    job: Job,
  ) => Promise<Result<Files>>;
}

export interface DockerBuildKey extends FileOptions {
  readonly source: { readonly url: string };
  readonly commit: string;
  /** Tree of the commit. */
  readonly tree: string;
  /** Path of the Dockerfile in the repository. */
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Default 50 minutes. */
  readonly timeoutMs?: number;
}

/** An image on the engine that built it: `sha256:…`. */
export interface BuiltImage {
  readonly image: string;
}

const TIMEOUT_MS = 50 * 60_000;
const LEVEL = "average";

/**
 * Builds a commit's image with BuildKit; nothing of ours is written into it.
 *
 * Fails with `NO_DOCKERFILE`, `CONTEXT_REFUSED`, `BUILD_FAILED`, `BASE_UNREACHABLE`, `NO_SPACE`, `ENGINE_UNREACHABLE`,
 * `ENGINE_FAULT`, `ENGINE_REFUSED`, `CANCELLED`, or as the checkout does.
 */
export const dockerBuild: Builder<DockerBuildContext, DockerBuildKey, BuiltImage> = {
  id: "docker-build",
  version: 1,
  level: LEVEL,
  autoCancel: true,
  key: keyOf,
  value: { encode: ({ image }) => ({ image }), decode: decodeImage },
  describe: (key) => `docker build ${key.dockerfile} of ${key.commit.slice(0, 10)}`,
  inputs: inputsOf,
  build: async (context, key, job) => {
    const started = await job.start({ level: LEVEL, pool: context.pool, timeoutMs: key.timeoutMs ?? TIMEOUT_MS });
    return started.ok ? buildImage(context, key, job) : started;
  },
};

/** The build itself, within a job that has started: a push needs it too, when the engine has lost the image. */
export async function buildImage(
  context: DockerBuildContext,
  key: DockerBuildKey,
  job: Job,
): Promise<Result<BuiltImage>> {
  const files = await context.checkout(key.source, key.commit, key, job);
  if (!files.ok) return files;
  try {
    const request = {
      dir: files.value.dir,
      commit: key.commit,
      dockerfile: key.dockerfile,
      buildArgs: key.buildArgs,
      // Repositories do not see each other's `RUN --mount=type=cache`, whatever id they give it.
      cacheScope: createHash("sha256").update(key.source.url).digest("hex").slice(0, 16),
    };
    const built = await runBuild(context.engine, request, job);
    return built.ok ? success({ image: built.value }) : failure(built.error);
  } finally {
    await files.value.dispose();
  }
}

function keyOf(key: DockerBuildKey): Json {
  return {
    // What is built: equal files give an equal key, so a push back or a rebased branch costs no build. With `.git`
    // the history is part of the files, so there it is the commit. Where the files came from changes nothing.
    ...(key.includeGit ? { commit: key.commit } : { tree: key.tree }),
    // Which of the repository's Dockerfiles.
    dockerfile: key.dockerfile,
    // They can change every instruction.
    buildArgs: Object.fromEntries(sorted(key.buildArgs)),
    // Whether instructions see `.git`.
    includeGit: key.includeGit,
    // Without them their directories are empty; the key of all others is as it was before this could be said.
    ...(key.submodules === false ? { submodules: false } : {}),
  };
}

function inputsOf(key: DockerBuildKey): Readonly<Record<string, string>> {
  const args = sorted(key.buildArgs).map(([name, value]) => [`build argument ${name}`, value] as const);
  return {
    [key.includeGit ? "commit" : "files"]: key.includeGit ? key.commit : key.tree,
    dockerfile: key.dockerfile,
    ...(key.submodules === false ? { submodules: "left empty" } : {}),
    ...Object.fromEntries(args),
  };
}

const sorted = (args: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  Object.entries(args).toSorted(([a], [b]) => (a < b ? -1 : 1));

function decodeImage(json: Json): BuiltImage | undefined {
  const image = textOf(json, "image");
  return image === undefined ? undefined : { image };
}
