// `local --confirm=harmless` and `plan` with real credentials: they look, and write nothing anywhere.
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Type } from "typebox";
import { Check } from "typebox/value";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerHost, need } from "../support/need.ts";
import { type RecordingProxy, recordEngine, recordRegistry } from "../support/recording-proxy.ts";
import { startRegistry } from "../support/registry.ts";
import { type Names, startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import { type Ended, startServer } from "./server.ts";
import { until } from "./until.ts";

/** Branch live → web, branch next → other, and later one more. */
const repos = ({ image, service }: Names, ...more: readonly string[]): string => {
  const next = ["other", ...more].map((short) => `swarm(here, "${service(short)}")`);
  return `"team/hello": from(git("./hello.git"), docker("Dockerfile", {
    live: publish("${image}:live", swarm(here, "${service("web")}")),
    next: publish("${image}:next", ${next.join(", ")}),
  })),`;
};

const parts = need("swarm") && need("registry") && need("git") && need("busybox");

describe.skipIf(!parts)("a dry run", () => {
  let engine: RecordingProxy;
  let registry: RecordingProxy;
  let world: World;

  beforeAll(async () => {
    engine = await recordEngine(dockerHost);
    const real = await startRegistry();
    registry = await recordRegistry(real.host);
    const where = { engine: engine.address, registry: real, registryHost: registry.address };
    world = await startWorld({
      ...where,
      monitorSec: 1,
      services: ["web", "other", "more"],
      repos: (names) => repos(names),
    });
  });
  afterAll(async () => {
    await world.close();
    await engine.dispose();
    await registry.dispose();
  });

  const flags = (): readonly string[] => [
    "--state",
    "state",
    "--registry-auth",
    "auth.json",
    "--docker-host",
    engine.address,
  ];
  const run = (...args: readonly string[]): Promise<Ended> => world.command(...args, ...flags());
  /** With a port that is taken: a run that ends by itself needs none. */
  const localOnce = (): Promise<Ended> =>
    run("local", "--confirm=harmless", "--once", "--port", world.registry.host.split(":")[1] ?? "");

  /** Does something, and holds against it every write to engine and registry, and every changed file. */
  async function harmless<T>(what: () => Promise<T>): Promise<T> {
    const files = filesIn(world.dir);
    const asked = [engine.requests.length, registry.requests.length] as const;
    const done = await what();
    const since = [...engine.requests.slice(asked[0]), ...registry.requests.slice(asked[1])];
    expect(since.filter(({ method }) => method !== "GET" && method !== "HEAD")).toEqual([]);
    expect(filesIn(world.dir)).toEqual(files);
    expect(since.length).toBeGreaterThan(0);
    return done;
  }

  it("with nothing to do: every term is as wanted, and both exit with 0", async () => {
    const server = await world.serve();
    await server.rolledOut(world.push(await sample("1")).commit);
    await server.rolledOut(world.push(await sample("1"), { branch: "next" }).commit, "next");
    await server.kill("SIGKILL");
    const planned = await harmless(() => run("plan"));
    expect(planned).toMatchObject({ code: 0, err: "" });
    expect(lastLine(planned.out)).toBe("test: 9 reused, 4 as wanted");
    const local = await harmless(localOnce);
    expect(local).toMatchObject({ code: 0, err: "" });
    expect(lastLine(local.out)).toBe("test: 9 reused, 4 as wanted");
  });

  it("with a build and a deploy to be done: a line a term, and what a target would change", async () => {
    const start = (await world.now("more")).image;
    const next = `${world.image}@${(await world.digestOf("next")) ?? ""}`;
    const live = (await world.now("web")).image;
    world.push(await sample("2"));
    world.pipeline(repos(world, "more"));
    const { code, out, err } = await harmless(localOnce);
    expect([code, err]).toEqual([0, ""]);
    const lines = out.trimEnd().split("\n");
    const actions = lines.filter((line) => !line.startsWith(" ")).map((line) => line.split(/ +/)[0]);
    const ofLive = ["reuse", "reuse", "held", "unknown", "unknown", "unknown"];
    const ofNext = ["reuse", "reuse", "reuse", "reuse", "current", "current", "held"];
    expect(actions).toEqual(["reuse", ...ofLive, ...ofNext, "test:"]);
    expect(lines.at(-1)).toBe("test: 2 held for a person, 3 unknown until built, 7 reused, 2 as wanted");
    const changes = lines.filter((line) => line.startsWith(" ")).map((line) => line.trim());
    expect(changes.filter((line) => !line.startsWith("millrace labels: receipt of test"))).toEqual([
      `tag live: ${live.split("@")[1] ?? ""} → unknown until built`,
      `image: ${live} → unknown until built`,
      `image: ${start} → ${next}`,
      "take over: the service was made by hand → follows pipeline.ts from now on",
      "millrace labels: none → the receipt of this deploy",
    ]);
  });

  it("plan says with its exit code that something is to be done, and in JSON what", async () => {
    const { code, out, err } = await harmless(() => run("plan", "--json"));
    expect([code, err]).toEqual([2, ""]);
    const plan: unknown = JSON.parse(out);
    if (!Check(PlanJson, plan)) throw new Error(`another shape: ${out}`);
    const image = { field: "image", before: (await world.now("more")).image };
    expect(plan.lines.find(({ term }) => term.endsWith(world.service("more")))).toMatchObject({
      action: "run",
      at: "pipeline.ts:5",
      changes: [image, { field: "take over" }, { field: "millrace labels" }],
    });
    expect(plan.lines.filter(({ action }) => action === "run")).toHaveLength(2);
    expect(plan.lines.filter(({ action }) => action === "unknown")).toHaveLength(3);
  });

  it("plan says so when it cannot tell", async () => {
    const ended = await world.command("plan", ...flags(), "--docker-host", "unix:///nonexistent/docker.sock");
    expect([ended.code, ended.err]).toEqual([1, ""]);
    expect(ended.out).toMatch(/^failed +deploy .*_other .*\n +.*\/nonexistent\/docker\.sock\n/m);
  });

  it("that stays up refuses whatever would let it begin", async () => {
    await harmless(async () => {
      const stay = ["--confirm=harmless", "--confirm-auto-release", "1", "--port", "0"];
      const server = await startServer(world.dir, [...stay, ...flags()], { command: "local" });
      const waiting = await server.waitFor("build and deploy are held", ({ jobs }) => {
        const held = jobs.filter(({ state }) => state === "waiting");
        return held.length === 2 && held;
      });
      await until("the plan is printed", 30_000, () => server.output().includes("held for a person"));
      expect(await (await fetch(server.url)).text()).toContain("This is a dry run");
      expect(await server.api("banners")).toMatchObject([{ code: "DRY_RUN", level: "info" }]);
      const [finished] = (await server.jobs("docker-build")).filter(({ state }) => state === "ok");
      const refused = [
        await server.act("PUT", "confirm", { threshold: "none" }),
        await server.act("PUT", "confirm", { threshold: "dangerous" }),
        ...(await Promise.all(
          waiting.flatMap(({ id }) => [
            server.act("POST", `jobs/${id}/start`),
            server.act("POST", `jobs/${id}/cancel`),
          ]),
        )),
        await server.act("POST", `jobs/${finished?.id ?? ""}/rebuild`),
        await server.act("POST", "terms/adopt", { term: waiting[0]?.term }),
      ];
      for (const answer of refused) expect(answer).toMatchObject({ status: 409, body: { code: "DRY_RUN" } });
      expect(await server.api("confirm")).toEqual({ threshold: "harmless", setBy: "--confirm" }); // and no release to come
      for (const job of await server.jobs()) expect(job.can).toEqual({ rebuild: false, cancel: false, start: false });
      expect((await server.jobs()).filter(({ state }) => state === "waiting")).toHaveLength(2);
      await server.kill();
      expect(await server.ended).toBe(0);
    });
  });
});

const ChangeJson = Type.Object({ field: Type.String(), before: Type.String(), after: Type.String() });
const PlanJson = Type.Object({
  flavour: Type.Literal("test"),
  lines: Type.Array(
    Type.Object({
      term: Type.String(),
      at: Type.Optional(Type.String()),
      action: Type.String(),
      detail: Type.String(),
      changes: Type.Optional(Type.Array(ChangeJson)),
    }),
  ),
});

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";

/** Content, kind and time of last change of every file below a directory. */
function filesIn(dir: string): Readonly<Record<string, string>> {
  const names = readdirSync(dir, { recursive: true, encoding: "utf8" });
  return Object.fromEntries(names.toSorted().map((name) => [name, fileAt(join(dir, name))]));
}

function fileAt(path: string): string {
  const { mode, mtimeMs, ino } = lstatSync(path);
  const content = lstatSync(path).isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
  return `${mode.toString(8)} ${ino} ${mtimeMs} ${content}`;
}
