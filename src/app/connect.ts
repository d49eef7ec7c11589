import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../engine/clock.ts";
import type { Engine } from "../engine/engine.ts";
import { problem } from "../engine/errors.ts";
import type { Hints } from "../engine/inbound.ts";
import type { Job } from "../engine/job.ts";
import { Pool } from "../engine/pool.ts";
import type { Ports } from "../pipeline/ports.ts";
import { buildImage, connectEngine, type DockerBuildContext, dockerBuild } from "../plugins/docker/index.ts";
import { checkout, createGit, gitFetch, readDates, readHeads, watchHeads } from "../plugins/git/index.ts";
import { createGitHub, PUBLIC_WEB, webOf } from "../plugins/github/index.ts";
import {
  type Credential,
  type CredentialSource,
  createRegistryClient,
  parseCredentials,
  parseRepository,
  type RegistryClient,
  tagKind,
} from "../plugins/registry/index.ts";
import { swarmKind } from "../plugins/swarm/index.ts";
import { failure, type Result, success } from "../term/output.ts";
import type { GitHubAccess } from "./options.ts";

const BUILDS_AT_ONCE = 2;
const PUSHES_AT_ONCE = 4;

export interface ConnectOptions {
  readonly dockerHost: string;
  readonly registryAuth?: string;
  /** Absolute path of pipeline.ts. */
  readonly pipeline: string;
  readonly flavour: string;
  readonly github: GitHubAccess;
  /** What forges tell. */
  readonly hints?: Hints;
  /** Where git caches and checkouts go. */
  readonly scratch: string;
}

/** Makes the way to the outside. Connects to nothing yet: what cannot be reached shows when it is used. */
export function connect(engine: Engine, options: ConnectOptions): Result<Ports> {
  const { clock } = engine;
  const docker = connectEngine(options.dockerHost, clock);
  if (!docker.ok) return docker;
  const credentials = readCredentials(options.registryAuth);
  if (!credentials.ok) return credentials;
  const registry = createRegistryClient({ clock, credentials: credentials.value });
  const git = createGit(options.scratch, clock);
  const builds = new Pool("docker-build", BUILDS_AT_ONCE);
  const pushes = new Pool("docker-push", PUSHES_AT_ONCE);
  const build: DockerBuildContext = {
    engine: docker.value,
    pool: builds,
    checkout: (source, commit, { includeGit, submodules = true }, job) =>
      checkout(git, source, commit, { includeGit, submodules }, job),
  };
  const push = {
    engine: docker.value,
    pool: pushes,
    credentials: credentials.value,
    headManifest: (repo: string, reference: string, signal: AbortSignal) => headOf(registry, repo, reference, signal),
    rebuild: (job: Job, key: Parameters<typeof buildImage>[1]) => buildImage(build, key, job),
  };
  const swarm = swarmKind({ engine: () => docker.value.client, credentials: credentials.value, clock });
  const tag = tagKind({ client: registry, clock });
  const folder = dirname(options.pipeline);
  const forge = forgeOf(clock, options.github, options.hints);
  const heads: Ports["heads"] = {
    read: (source, signal) => readHeads(git, source, signal),
    watch: (source, onChange) => watchHeads(source, onChange, clock),
    dates: (source, commits, signal) => readDates(git, source, commits, signal),
  };
  const builders = { fetch: gitFetch, build: dockerBuild };
  const pools = [builds, pushes];
  return success({
    engine,
    git,
    heads,
    builders,
    build,
    push,
    swarm,
    tag,
    pools,
    owner: options.flavour,
    folder,
    forge,
  });
}

/** GitHub as its app sees it, or as anybody may. Asks nothing yet. */
export function forgeOf(
  clock: Clock,
  { app, api, allowlist }: GitHubAccess,
  hints?: Hints,
): NonNullable<Ports["forge"]> {
  const web = api === undefined ? PUBLIC_WEB : webOf(api);
  if (app === undefined) return { web };
  const optional = { ...(api === undefined ? {} : { api }), ...(allowlist === undefined ? {} : { allowlist }) };
  const github = createGitHub({ clock, app, ...optional });
  hints?.changes.subscribe(({ kind }) => {
    if (kind === "installations") github.refresh();
  });
  return { web, github, ...(hints === undefined ? {} : { hints }) };
}

async function headOf(registry: RegistryClient, repo: string, reference: string, signal: AbortSignal) {
  const repository = parseRepository(repo);
  return repository.ok ? registry.headManifest(repository.value, reference, signal) : repository;
}

/** Who may push and pull, from a file in the shape of Docker's config.json; nobody without one. */
export function readCredentials(file: string | undefined): Result<CredentialSource> {
  if (file === undefined) return success(() => undefined);
  let text: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0)
      return failure(problem("CREDENTIALS_FILE", `${file} may be read by others: chmod 600 it`));
    text = readFileSync(file, "utf8");
  } catch (error) {
    return failure(
      problem("CREDENTIALS_FILE", `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
  const parsed = parseCredentials(text, file);
  if (!parsed.ok) return parsed;
  const known: ReadonlyMap<string, Credential> = parsed.value;
  return success((host) => known.get(host));
}
