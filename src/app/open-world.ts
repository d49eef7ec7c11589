import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createClock } from "../engine/clock.ts";
import { gitUrl } from "../pipeline/places.ts";
import type { SourceDeclaration } from "../pipeline/types.ts";
import { connectEngine } from "../plugins/docker/index.ts";
import { createGit, type GitSource, hasFile, readHeads } from "../plugins/git/index.ts";
import { createRegistryClient } from "../plugins/registry/index.ts";
import { listServices } from "../plugins/swarm/index.ts";
import { type Result, success } from "../term/output.ts";
import { forgeOf, readCredentials } from "./connect.ts";
import type { GitHubAccess } from "./options.ts";
import type { World } from "./world.ts";

/** Read-only access to what a pipeline names, for `millrace check`. Dispose of it after use. */
export async function openWorld(options: {
  readonly pipeline: string;
  readonly dockerHost: string;
  readonly registryAuth?: string;
  readonly github: GitHubAccess;
}): Promise<Result<World & AsyncDisposable>> {
  const clock = createClock();
  const docker = connectEngine(options.dockerHost, clock);
  if (!docker.ok) return docker;
  const credentials = readCredentials(options.registryAuth);
  if (!credentials.ok) return credentials;
  const registry = createRegistryClient({ clock, credentials: credentials.value });
  const dir = await mkdtemp(join(tmpdir(), "millrace-check-"));
  const git = createGit(dir, clock);
  const { github, web } = forgeOf(clock, options.github);
  const source = (declared: SourceDeclaration): GitSource => {
    if (declared.kind === "git") return { url: gitUrl(declared.url, dirname(options.pipeline)) };
    const { repo } = declared;
    if (github === undefined) return { url: `${web}/${repo}.git` };
    return { url: github.gitUrl(repo), auth: (during) => github.gitAuth(repo, during) };
  };
  const swarm = { engine: () => docker.value.client, credentials: credentials.value, clock };
  const signal = new AbortController().signal;
  return success({
    branches: async (declared) => {
      if (declared.kind === "git" || github === undefined) return readHeads(git, source(declared), signal);
      const refs = await github.refs(declared.repo, {}, signal);
      return refs.ok ? success(new Map([...refs.value.branches].map(([name, { commit }]) => [name, commit]))) : refs;
    },
    hasFile: (declared, commit, path) => hasFile(git, source(declared), commit, path, signal),
    hasTarget: async ({ host, service }) => {
      const names = await listServices(swarm, host.host, signal);
      return names.ok ? success(names.value.includes(service)) : names;
    },
    ...(github === undefined ? {} : { installations: () => github.installations(signal) }),
    reachesRegistry: (host) => registry.check(host, signal),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  });
}
