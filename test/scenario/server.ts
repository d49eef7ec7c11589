import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Static, type TSchema, Type } from "typebox";
import { Check } from "typebox/value";
import {
  DeployJson,
  GraphJson,
  JobDetailJson,
  type JobJson,
  JobsJson,
  ServiceJson,
} from "../../src/web/api/schemas.ts";
import { until } from "./until.ts";

export type Job = JobJson;
export type JobDetail = Static<typeof JobDetailJson>;
export type Service = Static<typeof ServiceJson>;
export type Deploy = Static<typeof DeployJson>;
export type Graph = Static<typeof GraphJson>;

const root = resolve(import.meta.dirname, "../..");
const READY_MS = 30_000;
const END_MS = 15_000;

/** Everything that a condition may be about, as the API tells it at one moment. */
export interface Told {
  readonly services: readonly Service[];
  /** Newest first, at most 500. */
  readonly jobs: readonly Job[];
  readonly graph: Graph;
}

/** A running `millrace serve`. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  /** Standard output and error so far. */
  output(): string;
  /** GETs `/api/v1/PATH`. @throws {Error} when the answer is no JSON. */
  api(path: string): Promise<unknown>;
  /** The same, checked against a schema of the API. */
  read<T extends TSchema>(path: string, schema: T): Promise<Static<T>>;
  /** Acts with the token that the server names when it starts; gives status and body, refused or not. */
  act(
    method: "GET" | "POST" | "PUT",
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
  /** All jobs, newest first; only those of one operation if it is named. */
  jobs(op?: string): Promise<readonly Job[]>;
  job(id: string): Promise<JobDetail>;
  /** A job's log so far. */
  log(id: string): Promise<string>;
  services(): Promise<readonly Service[]>;
  /** Past deploys, newest first. */
  history(): Promise<readonly Deploy[]>;
  told(): Promise<Told>;
  /** As `until`, on what the API tells. The error at the deadline (default: a minute) shows it all. */
  waitFor<T>(what: string, look: (told: Told) => T | undefined | false, deadlineMs?: number): Promise<T>;
  /** Waits until this commit is the head of the branch and everything of the branch is as declared. */
  rolledOut(commit: string, branch?: string): Promise<Told>;
  /** Sends the signal and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Exit code, once it has ended; null after a signal. */
  readonly ended: Promise<number | null>;
}

const WAIT_MS = 60_000;

export interface StartOptions {
  /** Default `serve`. */
  readonly command?: "serve" | "local";
  /** Arguments for node that lead to another build of the product. */
  readonly entry?: readonly string[];
  /** More variables for it; it has PATH and HOME only. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told the number of the process when it has just begun, long before its pages answer. */
  readonly begun?: (pid: number) => void;
}

/**
 * Starts `millrace serve` (or `local`) as a process of its own and waits until its pages answer.
 *
 * @throws {Error} when it ends before that.
 */
export async function startServer(
  cwd: string,
  args: readonly string[],
  { command = "serve", entry = builtEntry(), env = {}, begun }: StartOptions = {},
): Promise<Server> {
  const child = spawn(process.execPath, [...entry, command, ...args], { cwd, env: { ...environment(cwd), ...env } });
  if (child.pid !== undefined) begun?.(child.pid);
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(String(chunk)));
  const output = (): string => chunks.join("");
  const ended = once(child, "exit").then(() => child.exitCode);
  const stopWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", stopWithUs);
  void ended.then(() => process.off("exit", stopWithUs));
  const url = await until(
    "the server says where it is",
    READY_MS,
    () => {
      const end = child.exitCode ?? child.signalCode;
      if (end !== null) throw new Error(`the server ended with ${end}:\n${output()}`);
      return /is at (http:\S+)\n.*token for acting in \S+\n/.exec(output())?.[1];
    },
    output,
  );
  const tokenFile = /token for acting in (\S+)/.exec(output())?.[1] ?? "";
  return serverAt(url, tokenFile, child, { output, ended });
}

function serverAt(
  url: string,
  tokenFile: string,
  child: ChildProcess,
  process: Pick<Server, "output" | "ended">,
): Server {
  const read = async <T extends TSchema>(path: string, schema: T): Promise<Static<T>> => {
    const body = await getJson(url, path);
    if (!Check(schema, body)) throw new Error(`${path} is not as its schema says: ${JSON.stringify(body)}`);
    return body;
  };
  const jobs = async (op?: string): Promise<readonly Job[]> =>
    (await read(`jobs?limit=500${op === undefined ? "" : `&op=${op}`}`, JobsJson)).jobs;
  const services = (): Promise<readonly Service[]> => read("services", Type.Array(ServiceJson));
  const told = async (): Promise<Told> => ({
    services: await services(),
    jobs: await jobs(),
    graph: await read("graph", GraphJson),
  });
  const waitFor: Server["waitFor"] = (what, look, deadlineMs = WAIT_MS) =>
    until(
      what,
      deadlineMs,
      async () => look(await told()),
      async () => `${brief(await told())}\n${process.output()}`,
    );
  return {
    ...process,
    url,
    pid: child.pid ?? 0,
    api: (path) => getJson(url, path),
    read,
    act: (method, path, body) => act(url, tokenFile, method, path, body),
    jobs,
    job: (id) => read(`jobs/${id}`, JobDetailJson),
    log: async (id) => (await fetch(`${url}/api/v1/jobs/${id}/log`)).text(),
    services,
    history: () => read("history?limit=500", Type.Array(DeployJson)),
    told,
    waitFor,
    rolledOut: (commit, branch = "live") =>
      waitFor(`${commit.slice(0, 8)} of ${branch} is rolled out`, (now) => isRolledOut(now, commit, branch) && now),
    kill: async (signal = "SIGTERM") => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await until(
        "the server ends",
        END_MS,
        () => child.exitCode !== null || child.signalCode !== null,
        process.output,
      );
    },
  };
}

/** One graph is one step: its head and what follows from it are of the same moment. */
function isRolledOut({ graph }: Told, commit: string, branch: string): boolean {
  const ofBranch = graph.nodes.filter(({ key }) => key.includes(`/branch:${branch}/`));
  const heads = ofBranch.filter(({ kind, detail }) => kind === "head" && detail === commit.slice(0, 8));
  return heads.length > 0 && ofBranch.every(({ state, updating }) => state === "ok" && updating === undefined);
}

async function getJson(url: string, path: string): Promise<unknown> {
  const answer = await fetch(`${url}/api/v1/${path}`);
  const body: unknown = await answer.json();
  return body;
}

async function act(url: string, tokenFile: string, method: string, path: string, body: object = {}) {
  const headers = {
    authorization: `Bearer ${readFileSync(tokenFile, "utf8").trim()}`,
    "content-type": "application/json",
  };
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method,
    headers,
    ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const told: unknown = text === "" ? undefined : JSON.parse(text);
  return { status: answer.status, body: told };
}

function brief({ services, jobs, graph }: Told): string {
  const lines = [
    ...services.map(
      (one) => `service ${one.name}: ${one.state}, wanted ${one.wanted}, runs ${one.running}: ${one.detail}`,
    ),
    ...jobs.slice(0, 20).map((job) => `job ${job.id}: ${job.state} ${job.error?.message ?? job.waitingFor ?? ""}`),
    ...graph.nodes.map((node) => `term ${node.key}: ${node.state} ${node.failure?.message ?? node.detail}`),
  ];
  return lines.join("\n");
}

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a client command of the built product to its end. */
export function runCommand(cwd: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...builtEntry(), ...args], { cwd, env: environment(cwd) }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 70, out, err });
    });
  });
}

/** Nothing of whoever runs the tests but PATH: no engine, no credentials, no proxy settings. */
const environment = (home: string): NodeJS.ProcessEnv => ({ PATH: process.env["PATH"], HOME: home });

/** The built product, built again when a source is newer; or what MILLRACE_TEST_ENTRY says: arguments for node. */
export function builtEntry(): readonly string[] {
  const named = process.env["MILLRACE_TEST_ENTRY"];
  if (named !== undefined) return named.split(" ");
  build();
  return [join(root, "dist/app/main.js")];
}

let built = false;

function build(): void {
  if (built) return;
  built = true;
  const program = join(root, "dist/app/main.js");
  const newest = Math.max(
    ...readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
      .filter((found) => found.isFile())
      .map((found) => statSync(join(found.parentPath, found.name)).mtimeMs),
  );
  if (existsSync(program) && statSync(program).mtimeMs >= newest) return;
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: root, stdio: "pipe" });
}
