// The registry's password and the acting token are nowhere but in the files that they are kept in.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { need } from "../support/need.ts";
import { type RecordingProxy, recordRegistry } from "../support/recording-proxy.ts";
import { startRegistry } from "../support/registry.ts";
import { startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";

const SAMPLE_MS = 5;
const WRONG = "canary-of-a-wrong-password";

const parts = need("swarm") && need("registry") && need("git") && need("busybox");

describe.skipIf(!parts)("secrets", () => {
  let registry: RecordingProxy;
  let world: World;
  const processes = new Map<string, string>();
  let sampler: NodeJS.Timeout;

  beforeAll(async () => {
    const real = await startRegistry();
    registry = await recordRegistry(real.host);
    world = await startWorld({ monitorSec: 1, registry: real, registryHost: registry.address });
    const server = await world.serve("-v");
    sampler = setInterval(() => sampleProcesses(server.pid, processes), SAMPLE_MS);
    const files = await sample("1");
    // Whatever a build prints, and it is clever: the password as it is, and as a client would send it.
    const echo = `RUN echo ${real.password} && echo ${basic(real.username, real.password)}\n`;
    await server.rolledOut(world.push({ ...files, Dockerfile: `${files["Dockerfile"] ?? ""}${echo}` }).commit);
  });
  afterAll(async () => {
    clearInterval(sampler);
    await world.close();
    await registry.dispose();
  });

  const needles = (): readonly string[] => {
    const { username, password } = world.registry;
    const token = readFileSync(join(world.dir, "state/token"), "utf8").trim();
    return [password, WRONG, token].flatMap((secret) => [secret, ...encoded(secret)]).concat(basic(username, password));
  };
  const found = (text: string): readonly string[] => needles().filter((needle) => text.includes(needle));

  it("are in no log, database or other file of the state directory", () => {
    const state = join(world.dir, "state");
    const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const names = files.map((file) => join(file.parentPath, file.name));
    expect(names.filter((name) => /\.log$|millrace\.db/.test(name)).length).toBeGreaterThan(4);
    const telling = names.filter((name) => found(readFileSync(name, "latin1")).length > 0);
    expect(telling).toEqual([join(state, "token")]);
  });

  it("are masked where a build prints them", async () => {
    const [build] = await world.server.jobs("docker-build");
    expect(await world.server.log(build?.id ?? "")).toMatch(/echo ‹secret› && echo \S*‹secret›/);
  });

  it("are on no page, in no answer of the API, not in what the server prints", async () => {
    const { server } = world;
    const jobs = (await server.jobs()).map(({ id }) => id);
    const pages = ["/", "/jobs", "/query", "/login", "/pipeline.svg", "/metrics", "/healthz", "/readyz"];
    const api = ["graph", "jobs", "services", "history", "stats", "confirm"];
    const ofJobs = jobs.flatMap((id) => [`/job/${id}`, `/api/v1/jobs/${id}`, `/api/v1/jobs/${id}/log`]);
    for (const path of [...pages, ...api.map((name) => `/api/v1/${name}`), ...ofJobs]) {
      const answer = await fetch(`${server.url}${path}`);
      expect([path, answer.status, found(await answer.text())]).toEqual([path, 200, []]);
    }
    expect(found(server.output())).toEqual([]);
  });

  it("are in no argument and no environment of the server and its children", () => {
    const all = [...processes.values()];
    expect(all.filter((text) => text.startsWith("git\0")).length).toBeGreaterThan(0); // children were seen at work
    expect(all.filter((text) => found(text).length > 0)).toEqual([]);
  });

  it("are in no message when they are wrong", async () => {
    await world.server.kill();
    const auth = basic(world.registry.username, WRONG);
    const auths = { [registry.address]: { auth } };
    writeFileSync(join(world.dir, "wrong.json"), JSON.stringify({ auths }), { mode: 0o600 });
    const server = await world.serve("-v", "--registry-auth", "wrong.json");
    world.push(await sample("2"));
    const failed = await server.waitFor("the push is refused", ({ jobs }) =>
      jobs.find(({ op, error }) => op === "docker-push" && error?.code === "REGISTRY_REFUSED"),
    );
    const told = [await server.log(failed.id), JSON.stringify(await server.told()), server.output()];
    expect(told.flatMap(found)).toEqual([]);
  });
});

const basic = (username: string, password: string): string => Buffer.from(`${username}:${password}`).toString("base64");

/** As it looks within something longer that is sent as base64, wherever it begins there; and in a URL. */
function encoded(secret: string): readonly string[] {
  const inside = [0, 1, 2].map((before) => {
    const whole = Buffer.from(`${"x".repeat(before)}${secret}`).toString("base64");
    return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + secret.length) * 8) / 6));
  });
  return [...inside, encodeURIComponent(secret)];
}

/** Arguments and environment of a process and all that come from it, as they are now. */
function sampleProcesses(root: number, into: Map<string, string>): void {
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]));
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (pid === root || isOurs(parents.get(pid)));
  for (const pid of [...parents.keys()].filter(isOurs)) {
    const text = `${read(`/proc/${pid}/cmdline`)}\n${read(`/proc/${pid}/environ`)}`;
    into.set(text, text);
  }
}

const pids = (): readonly number[] =>
  readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

const parentOf = (pid: number): number => Number(/^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // it has ended
  }
}
