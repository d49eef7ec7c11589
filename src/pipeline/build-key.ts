import type { DockerBuildKey } from "../plugins/docker/index.ts";
import type { GitSource } from "../plugins/git/index.ts";
import { durationMs } from "./duration.ts";
import type { DockerBuild } from "./types.ts";

/** What decides the image of a declared build at a commit. */
export function buildKey(build: DockerBuild, source: GitSource, commit: string, tree: string): DockerBuildKey {
  const { buildArgs = {}, includeGit = false, submodules = true, timeout } = build.options;
  const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
  const key = { source, commit, tree, dockerfile: build.dockerfile, buildArgs, includeGit, submodules };
  return timeoutMs === undefined ? key : { ...key, timeoutMs };
}
