// A repository on GitHub, from outside: what is deployed and what is checked is said there, and in chat.
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeGitHub } from "../../src/testing/index.ts";
import { docker } from "../support/docker.ts";
import { busyboxImage } from "../support/images.ts";
import { dockerHost } from "../support/need.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { hasParts, startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import { until } from "./until.ts";

const REPO = "team/hello";
const WAIT_MS = 60_000;

describe.skipIf(!hasParts)("a repository on GitHub", () => {
  let world: World;
  let fake: FakeGitHub;
  let chat: Server;
  /** Anybody may read it. */
  let bases: TestRegistry;
  const said: string[] = [];

  beforeAll(async () => {
    fake = await FakeGitHub.start();
    bases = await startRegistry({ open: true });
    fake.repo(REPO, { files: await sample("1"), defaultBranch: "live" });
    fake.install("team");
    fake.role(REPO, "ann", "write");
    chat = createServer((request, response) => {
      request.on("data", (chunk: Buffer) => said.push(chunk.toString()));
      request.on("end", () => response.end("ok"));
    });
    await new Promise<void>((resolve) => void chat.listen(0, "127.0.0.1", resolve));
    world = await startWorld({
      repos: ({ image, service }) =>
        `"${REPO}": docker("Dockerfile", { live: publish("${image}:live", swarm(here, "${service()}")) }),`,
    });
    const address = chat.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await world.serve(
      ...flag("--github-private-key-file", fake.app.privateKey),
      ...flag("--github-webhook-secret-file", fake.app.webhookSecret),
      ...flag("--slack", `http://127.0.0.1:${port}/hook`),
      "--github-app-id",
      String(fake.app.appId),
      "--github-url",
      fake.apiUrl,
    );
    fake.webhooks.url = `${world.server.url}/webhooks/github`;
  });
  afterAll(async () => {
    await world.close();
    await fake.close();
    await bases.dispose();
    await new Promise<void>((resolve) => void chat.close(() => resolve()));
  });

  /** A flag with a file that only its owner may read. */
  function flag(name: string, text: string): readonly string[] {
    const file = `${name.replaceAll("-", "")}.secret`;
    writeFileSync(join(world.dir, file), text, { mode: 0o600 });
    return [name, file];
  }

  const state = (): string => {
    const { checkRuns, deployments } = fake.repository(REPO);
    const checks = checkRuns.map(({ commit, states }) => `check ${commit.slice(0, 8)} ${states.join(" ")}`);
    const deploys = deployments.map(
      ({ commit, statuses }) => `deployment ${commit.slice(0, 8)} ${statuses.map((one) => one.state).join(" ")}`,
    );
    return [...checks, ...deploys, ...said, world.server.output()].join("\n");
  };
  const wait = <T>(what: string, look: () => T | undefined | false): Promise<T> => until(what, WAIT_MS, look, state);
  const checkOf = (commit: string) => fake.repository(REPO).checkRuns.find((run) => run.commit === commit);
  const deploymentOf = (commit: string) => fake.repository(REPO).deployments.find((one) => one.commit === commit);

  it("has a check and a deployment for what is live, and one message", async () => {
    const first = fake.repository(REPO).heads.branches.get("live") ?? "";
    await wait("the deployment is live", () => deploymentOf(first)?.statuses.at(-1)?.state === "success");
    await wait("the check passes", () => checkOf(first)?.states.at(-1) === "completed/success");
    await wait("the chat is told", () => said.length > 0);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(`${REPO} live (${first.slice(0, 8)}) is deployed`);
    expect(deploymentOf(first)?.environment).toBe(world.service());
  });

  it("says which Dockerfile of a pull request fails, and runs it again when somebody asks for that", async () => {
    const number = fake.openPull(REPO, {
      by: "ann",
      branch: "idea",
      files: { Dockerfile: "FROM scratch\nCOPY nothing-of-that-name /\n" },
    });
    const { commit } = fake.pull(REPO, number);
    const run = await wait("the check fails", () => {
      const found = checkOf(commit);
      return found?.states.at(-1) === "completed/failure" && found;
    });
    expect(run.fields).toMatchObject({ actions: [{ label: "Rebuild" }] });
    const [failed] = await world.server.jobs("docker-check");
    const told = (): string => JSON.stringify(run.fields);
    await wait("the check shows the line that tells why", () => /nothing-of-that-name.{0,9}: not found/.test(told()));
    expect(told()).toContain(`/job/${failed?.id}`);
    expect(told()).toContain('"title":"Failed: Dockerfile');
    const before = (await world.server.jobs("docker-check")).length;
    fake.pressCheckRun(REPO, run.id, "ann", "rebuild");
    const times = run.states.length;
    await wait("the check fails again", () => run.states.length > times && run.states.at(-1) === "completed/failure");
    expect((await world.server.jobs("docker-check")).length).toBe(before + 1);
    expect(fake.violations).toEqual([]);
  });

  it("builds nothing of a stranger before that very commit is approved, and then without a network", async () => {
    const from = fake.fork(REPO, "mallory");
    const name = `${bases.host}/base:1`; // a stranger's build finds no image that is only on the engine
    await docker(["tag", await busyboxImage(), name], dockerHost);
    await docker(["push", "--quiet", name], dockerHost);
    const dockerfile = `FROM ${name}\nRUN echo "net: $(ls /sys/class/net)"\n`;
    const number = fake.openPull(REPO, { by: "mallory", from, files: { Dockerfile: dockerfile } });
    const { commit } = fake.pull(REPO, number);
    await wait("the check waits", () => checkOf(commit)?.states.at(-1) === "completed/neutral");
    const waiting = await world.server.api("approvals");
    expect(waiting).toMatchObject([{ name: REPO, pull: number, commit, author: { login: "mallory" }, fork: from }]);
    const which = { repository: fake.repository(REPO).id, pull: number };
    expect(await world.server.act("POST", "approvals", { ...which, commit: "0".repeat(40) })).toMatchObject({
      status: 409,
    });
    const jobs = (await world.server.jobs("docker-check")).length;
    expect(await world.server.act("GET", `approvals/${which.repository}/${number}/${commit}`)).toMatchObject({
      status: 200,
      body: { whole: true, deciding: [{ path: "Dockerfile", status: "changed" }], others: [] },
    });
    expect(await world.server.act("POST", "approvals", { ...which, commit })).toMatchObject({ status: 200 });
    await wait("the check passes", () => checkOf(commit)?.states.at(-1) === "completed/success");
    const [made, ...others] = await world.server.jobs("docker-check");
    expect(others).toHaveLength(jobs);
    expect(await world.server.log(made?.id ?? "")).toMatch(/^#\d+ net: lo$/m);
    expect(await world.server.api("approvals")).toEqual([]);
    expect(fake.violations).toEqual([]);
    await docker(["rmi", name], dockerHost);
  });

  it("says that what was pushed to live cannot be built, with the job that tells why", async () => {
    const before = said.length;
    const broken = fake.push(REPO, "live", { Dockerfile: "FROM scratch\nCOPY nothing-of-that-name /\n" });
    await wait("the deployment has ended", () => deploymentOf(broken)?.statuses.at(-1)?.state === "error");
    await wait("the chat is told", () => said.length > before);
    const [failed] = await world.server.jobs("docker-build");
    expect(deploymentOf(broken)?.statuses.at(-1)?.logUrl).toContain(`/job/${failed?.id}`);
    expect(said.slice(before)).toEqual([expect.stringContaining(`${REPO} live (${broken.slice(0, 8)}) failed`)]);
    expect(fake.violations).toEqual([]);
  });
});
