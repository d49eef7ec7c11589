import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createClock } from "../../src/engine/clock.ts";
import { Pool } from "../../src/engine/pool.ts";
import type { DockerBuildContext, DockerBuildKey } from "../../src/plugins/docker/index.ts";
import { connectEngine, type Engine } from "../../src/plugins/docker/index.ts";
import { checkout, createGit } from "../../src/plugins/git/index.ts";
import type { TestRepository } from "./git.ts";

const ENDPOINT = "unix:///var/run/docker.sock";

/** Runs the docker command line against the tests' engine (or another one); returns its output. */
export async function docker(args: readonly string[], endpoint = ENDPOINT): Promise<string> {
  const { stdout } = await promisify(execFile)("docker", ["-H", endpoint, ...args]);
  return stdout.trimEnd();
}

export function testEngine(endpoint = ENDPOINT): Engine {
  const connected = connectEngine(endpoint, createClock());
  if (!connected.ok) throw new Error(connected.error.message);
  return connected.value;
}

/** A build's context with real git and a real engine. */
export function buildContext(state: string, engine: Engine = testEngine()): DockerBuildContext {
  const git = createGit(state, createClock());
  return {
    engine,
    pool: new Pool("builds", 4),
    checkout: (source, commit, { includeGit, submodules = true }, job) =>
      checkout(git, source, commit, { includeGit, submodules }, job),
  };
}

/** What is built from the newest commit of a repository. */
export function buildKey(repository: TestRepository, more: Partial<DockerBuildKey> = {}): DockerBuildKey {
  const commit = repository.git("rev-parse", "HEAD");
  const tree = repository.git("rev-parse", "HEAD^{tree}");
  const source = { url: repository.dir };
  return { source, commit, tree, dockerfile: "Dockerfile", buildArgs: {}, includeGit: false, ...more };
}
