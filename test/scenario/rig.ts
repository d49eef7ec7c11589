import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execGit, type Files, makeRepository, type TestRepository } from "../support/git.ts";
import { dockerHost, need } from "../support/need.ts";
import { freePort, startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Ended, runCommand, type Server, type StartOptions, startServer } from "./server.ts";
import {
  containersGone,
  createSampleService,
  removeImages,
  removeService,
  type ServiceNow,
  serviceNow,
  type TaskNow,
  tasksNow,
} from "./service.ts";
import { until } from "./until.ts";

const root = resolve(import.meta.dirname, "../..");
const PROXY_MS = 20_000;

/** Whether every real part of a world is there: `describe.skipIf(!hasParts)`. @throws {Error} with CI=true, if not. */
export const hasParts = need("swarm") && need("registry") && need("git") && need("busybox");

export interface WorldOptions {
  /** Short names of services to make; the engine knows them under `world.service(short)`. Default: `web`. */
  readonly services?: readonly string[];
  /** The repositories of the flavour, as TypeScript. Default: branch live → image → every service. */
  readonly repos?: (names: Names) => string;
  /** How many tasks Swarm replaces at a time. Default 2, both at once: a roll-out takes about five seconds. */
  readonly parallelism?: number;
  /** How long Swarm watches new tasks before it believes in them, in seconds. Default 3. */
  readonly monitorSec?: number;
  /** Services of one task that only sleeps, on no port: up and gone at once. Default false. */
  readonly tiny?: boolean;
  /** The engine that Millrace talks to. Default: the tests' own. */
  readonly engine?: string;
  /** The engine that the services are made on. Default: the tests' own. */
  readonly servicesOn?: string;
  /** Taken over, and disposed of with the world. Default: one of its own. */
  readonly registry?: TestRegistry;
  /** `127.0.0.1:PORT`: the address that images are named by. Default: the registry's own. */
  readonly registryHost?: string;
}

export interface Names {
  /** `127.0.0.1:PORT/team/hello`: what images are called. */
  readonly image: string;
  /** The name that the engine knows a service under. */
  readonly service: (short?: string) => string;
}

export interface Push {
  /** Default `live`. */
  readonly branch?: string;
  /** An earlier commit that the branch is put back to; the files are not looked at. */
  readonly to?: string;
}

export interface Pushed {
  readonly commit: string;
  /** When `git push` had ended, wall clock. */
  readonly atMs: number;
}

/** A git repository, a registry with a password, Swarm services, and a product to run between them: all its own. */
export interface World extends Names {
  /** Holds `pipeline.ts`, `hello.git`, `auth.json` and `state`. */
  readonly dir: string;
  readonly registry: TestRegistry;
  readonly work: TestRepository;
  /** The bare repository that Millrace watches. */
  readonly repository: string;
  /** The server that was started last. */
  readonly server: Server;
  /** Writes `pipeline.ts` anew: `repos` of the flavour as TypeScript. */
  pipeline(repos: string): void;
  /** Starts the built product on this world, with more flags if there are any. */
  serve(...flags: readonly string[]): Promise<Server>;
  /** The same, begun in another way. */
  start(how: StartOptions, ...flags: readonly string[]): Promise<Server>;
  /** Runs a client command against the server: `command("jobs", "--json")`. */
  command(...args: readonly string[]): Promise<Ended>;
  /** Commits files in the work tree and pushes them by force. */
  push(files: Files, how?: Push): Pushed;
  createService(short: string): Promise<void>;
  now(short?: string): Promise<ServiceNow>;
  tasks(short?: string): Promise<readonly TaskNow[]>;
  /** What the service answers through a proxy that follows its healthy tasks. */
  request(short?: string): Promise<{ readonly status: number; readonly text: string }>;
  /** The digest that a tag of the image has in the registry, or undefined. */
  digestOf(tag: string): Promise<string | undefined>;
  /** Ends the server and removes all that was made. */
  close(): Promise<void>;
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const shorts = options.services ?? ["web"];
  const registry = options.registry ?? (await startRegistry());
  const dir = mkdtempSync(join(tmpdir(), "millrace-world-"));
  const unique = `millrace-test-${randomBytes(4).toString("hex")}`;
  const names: Names = {
    image: `${options.registryHost ?? registry.host}/team/hello`,
    service: (short = shorts[0] ?? "web") => `${unique}_${short}`,
  };
  const world = new LiveWorld(dir, registry, names, options);
  try {
    await Promise.all(shorts.map((short) => world.createService(short)));
    return world;
  } catch (error) {
    await world.close();
    throw error;
  }
}

const pipelineText = (repos: string): string =>
  `import { deployer, docker, from, git, here, publish, swarm } from "millrace";\n` +
  `export default deployer({ test: { repos: {\n${repos}\n} } });\n`;

/** The default: one Dockerfile, branch live, every service. */
function liveToAll(names: Names, shorts: readonly string[]): string {
  const targets = shorts.map((short) => `, swarm(here, "${names.service(short)}")`).join("");
  const publish = `publish("${names.image}:live"${targets})`;
  return `"team/hello": from(git("./hello.git"), docker("Dockerfile", { live: ${publish} })),`;
}

class LiveWorld implements World {
  readonly dir: string;
  readonly registry: TestRegistry;
  readonly image: string;
  readonly service: Names["service"];
  readonly work: TestRepository;
  readonly #options: WorldOptions;
  readonly repository: string;
  readonly #created: string[] = [];
  readonly #proxies = new Map<string, Promise<Proxy>>();
  #server: Server | undefined;

  constructor(dir: string, registry: TestRegistry, names: Names, options: WorldOptions) {
    this.dir = dir;
    this.registry = registry;
    this.image = names.image;
    this.service = names.service;
    this.#options = options;
    this.work = makeRepository();
    this.repository = join(dir, "hello.git");
    execGit(dir, ["init", "--quiet", "--bare", "--initial-branch=live", this.repository]);
    this.pipeline((options.repos ?? ((all) => liveToAll(all, options.services ?? ["web"])))(names));
    const auth = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
    const hosts = [registry.host, options.registryHost ?? registry.host];
    const config = JSON.stringify({ auths: Object.fromEntries(hosts.map((host) => [host, { auth }])) });
    writeFileSync(join(dir, "auth.json"), config, { mode: 0o600 });
    mkdirSync(join(dir, "state"));
  }

  get #servicesOn(): string {
    return this.#options.servicesOn ?? dockerHost;
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error("call world.serve() first");
    return this.#server;
  }

  pipeline(repos: string): void {
    writeFileSync(join(this.dir, "pipeline.ts"), pipelineText(repos));
  }

  serve(...flags: readonly string[]): Promise<Server> {
    return this.start({}, ...flags);
  }

  async start(how: StartOptions, ...flags: readonly string[]): Promise<Server> {
    const engine = this.#options.engine ?? dockerHost;
    const own = ["--port", "0", "--state", "state", "--registry-auth", "auth.json", "--docker-host", engine];
    this.#server = await startServer(this.dir, [...own, ...flags], how);
    return this.#server;
  }

  command(...args: readonly string[]): Promise<Ended> {
    return runCommand(this.dir, args);
  }

  push(files: Files, { branch = "live", to }: Push = {}): Pushed {
    if (to !== undefined) this.work.git("reset", "--quiet", "--hard", to);
    const commit = to ?? this.work.commit(files);
    this.work.push(this.repository, branch);
    return { commit, atMs: Date.now() };
  }

  async createService(short: string): Promise<void> {
    const name = this.service(short);
    this.#created.push(name);
    await createSampleService(name, this.#options, this.#servicesOn);
  }

  now(short?: string): Promise<ServiceNow> {
    return serviceNow(this.service(short), this.#servicesOn);
  }

  tasks(short?: string): Promise<readonly TaskNow[]> {
    return tasksNow(this.service(short), this.#servicesOn);
  }

  async request(short?: string): Promise<{ readonly status: number; readonly text: string }> {
    const name = this.service(short);
    const known = this.#proxies.get(name) ?? startProxy(name, this.#servicesOn);
    this.#proxies.set(name, known);
    const answer = await fetch((await known).url);
    return { status: answer.status, text: await answer.text() };
  }

  async digestOf(tag: string): Promise<string | undefined> {
    const { registry } = this;
    const authorization = `Basic ${Buffer.from(`${registry.username}:${registry.password}`).toString("base64")}`;
    const accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
    const url = `http://${registry.host}/v2/team/hello/manifests/${tag}`;
    const answer = await fetch(url, { method: "HEAD", headers: { authorization, accept } });
    return answer.headers.get("docker-content-digest") ?? undefined;
  }

  async close(): Promise<void> {
    await this.#server?.kill("SIGKILL");
    for (const proxy of this.#proxies.values()) await proxy.then(({ stop }) => stop());
    await Promise.all(this.#created.map((name) => removeService(name, this.#servicesOn)));
    await this.registry.stop();
    await Promise.all(this.#created.map((name) => containersGone(name, this.#servicesOn)));
    await removeImages(this.image.split("/")[0] ?? this.registry.host, this.#servicesOn);
    await this.registry.dispose();
    this.work.dispose();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

interface Proxy {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** The demo's own proxy, before one service. */
async function startProxy(service: string, engine: string): Promise<Proxy> {
  const port = await freePort();
  const script = join(root, "scripts/demo/proxy.mjs");
  const child = spawn(process.execPath, [script, engine, service, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stopWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", stopWithUs);
  child.once("exit", () => process.off("exit", stopWithUs));
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += String(chunk);
  });
  await until("the proxy listens", PROXY_MS, () => said !== "" || child.exitCode !== null);
  const url = `http://127.0.0.1:${port}/`;
  await until("the proxy knows a healthy task", PROXY_MS, async () => (await fetch(url)).status !== 503);
  return { url, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
