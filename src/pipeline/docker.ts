import { freeze } from "./freeze.ts";
import { sourceLine } from "./source-line.ts";
import type { Branches, DockerBuild, DockerOptions } from "./types.ts";

/** The word `docker`, or one with options baked in. */
export interface Docker {
  /**
   * One Dockerfile of a repository, and what its branches become.
   *
   * @param dockerfile  Path from the root of the repository; the build's context is that root.
   * @param branches    Branch name → `publish(…)`. Left out: the build is only checked, and deployed nowhere.
   * @example docker("Dockerfile", { live: publish("shop/web:live", swarm(here, "shop_web")) })
   */
  (dockerfile: string, branches?: Branches): DockerBuild;
  /**
   * The same word with options: the only way to set and to share them. Options given later win; `buildArgs` add up.
   *
   * @example const dockerGit = docker.with({ includeGit: true, timeout: "20m" });
   */
  readonly with: (options: DockerOptions) => Docker;
}

/** Builds an image from a Dockerfile: `docker("Dockerfile", { branch: publish(…) })`. */
export const docker: Docker = wordWith({});

function wordWith(options: DockerOptions): Docker {
  const word = (dockerfile: string, branches: Branches = {}): DockerBuild =>
    freeze({ kind: "docker", dockerfile, options, branches, at: sourceLine(word) });
  return Object.assign(word, { with: (more: DockerOptions) => wordWith(merged(options, more)) });
}

function merged(options: DockerOptions, more: DockerOptions): DockerOptions {
  if (options.buildArgs === undefined || more?.buildArgs === undefined) return { ...options, ...more };
  return { ...options, ...more, buildArgs: { ...options.buildArgs, ...more.buildArgs } };
}
