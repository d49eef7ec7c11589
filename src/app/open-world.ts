import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createClock } from "../engine/clock.ts";
import { gitUrl } from "../pipeline/places.ts";
import type { Git } from "../pipeline/types.ts";
import { connectEngine } from "../plugins/docker/index.ts";
import { createGit, hasFile, readHeads } from "../plugins/git/index.ts";
import { createRegistryClient } from "../plugins/registry/index.ts";
import { listServices } from "../plugins/swarm/index.ts";
import { type Result, success } from "../term/output.ts";
import { readCredentials } from "./connect.ts";
import type { World } from "./world.ts";

/** Read-only access to what a pipeline names, for `millrace check`. Dispose of it after use. */
export async function openWorld(options: {
  readonly pipeline: string;
  readonly dockerHost: string;
  readonly registryAuth?: string;
}): Promise<Result<World & AsyncDisposable>> {
  const clock = createClock();
  const docker = connectEngine(options.dockerHost, clock);
  if (!docker.ok) return docker;
  const credentials = readCredentials(options.registryAuth);
  if (!credentials.ok) return credentials;
  const registry = createRegistryClient({ clock, credentials: credentials.value });
  const dir = await mkdtemp(join(tmpdir(), "millrace-check-"));
  const git = createGit(dir, clock);
  const source = ({ url }: Git): { readonly url: string } => ({ url: gitUrl(url, dirname(options.pipeline)) });
  const swarm = { engine: () => docker.value.client, credentials: credentials.value, clock };
  const signal = new AbortController().signal;
  return success({
    branches: (declared) => readHeads(git, source(declared), signal),
    hasFile: (declared, commit, path) => hasFile(git, source(declared), commit, path, signal),
    hasTarget: async ({ host, service }) => {
      const names = await listServices(swarm, host.host, signal);
      return names.ok ? success(names.value.includes(service)) : names;
    },
    reachesRegistry: (host) => registry.check(host, signal),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  });
}
