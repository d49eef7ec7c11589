// A day in an organisation on GitHub, with all that goes wrong in one: what GitHub says in the evening is the truth.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeGitHub } from "../../src/testing/index.ts";
import { isUpdate } from "../kill/accounts.ts";
import { dockerHost } from "../support/need.ts";
import { type RecordingProxy, recordEngine } from "../support/recording-proxy.ts";
import { freePort } from "../support/registry.ts";
import { hasParts, startWorld, type World } from "./rig.ts";
import { sample } from "./sample.ts";
import { until } from "./until.ts";

/** Its branch `live` is deployed. */
const SITE = "team/site";
/** It is only checked. */
const LIB = "team/lib";
const WAIT_MS = 60_000;

describe.skipIf(!hasParts)("a day in an organisation", () => {
  let fake: FakeGitHub;
  let engine: RecordingProxy;
  let world: World;
  let flags: readonly string[];
  /** Commits in the order in which they were wanted on `live`. */
  const wanted: string[] = [];
  /** Commits that nothing can be built of. */
  const broken = new Set<string>();
  /** What Swarm was told to run, one for each time it took that on. */
  const updates: string[] = [];

  beforeAll(async () => {
    fake = await FakeGitHub.start();
    fake.repo(SITE, { files: await sample("1"), defaultBranch: "live" });
    fake.repo(LIB, { files: { Dockerfile: "FROM scratch\nCOPY lib.txt /\n", "lib.txt": "1\n" } });
    fake.install("team");
    fake.role(SITE, "ann", "write");
    fake.role(LIB, "bob", "write");
    engine = await recordEngine(dockerHost);
    engine.tell(isUpdate, ({ body, status }) => {
      if (status === 200 && !body.includes('"millrace.fence"')) updates.push(body);
    });
    world = await startWorld({
      engine: engine.address,
      monitorSec: 1,
      repos: ({ image, service }) =>
        `"${SITE}": docker("Dockerfile", { live: publish("${image}:live", swarm(here, "${service()}")) }),` +
        `"${LIB}": docker("Dockerfile", {}),`,
    });
    const port = String(await freePort());
    flags = [
      ...flag("--github-private-key-file", fake.app.privateKey),
      ...flag("--github-webhook-secret-file", fake.app.webhookSecret),
      "--github-app-id",
      String(fake.app.appId),
      "--github-url",
      fake.apiUrl,
      "--port",
      port,
    ];
    fake.webhooks.url = `http://127.0.0.1:${port}/webhooks/github`;
    await world.serve(...flags);
  });
  afterAll(async () => {
    await world.close();
    await engine.dispose();
    await fake.close();
  });

  /** A flag with a file that only its owner may read. */
  function flag(name: string, text: string): readonly string[] {
    const file = `${name.replaceAll("-", "")}.secret`;
    writeFileSync(join(world.dir, file), text, { mode: 0o600 });
    return [name, file];
  }

  const headOf = (repo: string, branch: string): string => fake.repository(repo).heads.branches.get(branch) ?? "";
  const deployments = () => fake.repository(SITE).deployments;
  /** What the check runs of a commit say last; "none" when there is none. */
  const checked = (repo: string, commit: string): string => {
    const runs = fake.repository(repo).checkRuns.filter((run) => run.commit === commit);
    return runs.length === 0 ? "none" : runs.map(({ states }) => states.at(-1)).join(" and ");
  };
  const truthOf = (commit: string): string => (broken.has(commit) ? "completed/failure" : "completed/success");
  const shown = (): string => {
    const checks = [SITE, LIB].flatMap((repo) =>
      fake.repository(repo).checkRuns.map((run) => `${repo} check ${run.commit.slice(0, 8)} ${run.states.join(" ")}`),
    );
    const deploys = deployments().map(
      (one) => `deployment ${one.commit.slice(0, 8)} ${one.statuses.map(({ state }) => state).join(" ")}`,
    );
    return [...checks, ...deploys, `${updates.length} updates`, ...fake.violations, world.server.output()].join("\n");
  };
  const wait = (what: string, look: () => boolean | Promise<boolean>): Promise<boolean> =>
    until(what, WAIT_MS, look, shown);
  const checks = (repo: string, ...commits: readonly string[]): Promise<boolean> =>
    wait(`${repo} is checked`, () => commits.every((commit) => checked(repo, commit) === truthOf(commit)));
  /** GitHub shows the newest that was wanted as deployed, after so many deployments. */
  const deployed = (commit: string): Promise<boolean> => {
    wanted.push(commit);
    const count = wanted.length;
    return wait(`${commit.slice(0, 8)} is deployed as number ${count}`, () => {
      const newest = deployments().at(-1);
      return deployments().length === count && newest?.commit === commit && last(newest) === "success";
    });
  };
  const says = (version: string): Promise<boolean> =>
    wait(`the service says ${version}`, async () => (await world.request()).text === `version=${version}\n`);

  const runningBuild = async (): Promise<string | undefined> =>
    (await world.server.jobs("docker-build")).find(({ state }) => state === "running")?.id;

  it("begins with everything as it is declared", async () => {
    await deployed(headOf(SITE, "live"));
    await checks(SITE, headOf(SITE, "live"));
    await checks(LIB, headOf(LIB, "main"));
    expect(updates).toHaveLength(1);
  });

  it("deploys a maintainer's pull request when it is merged, whatever becomes of the webhooks", async () => {
    fake.webhooks.mode = "drop"; // nothing more is told of this repository for a while
    fake.push(LIB, "unheard", { "lib.txt": "unheard\n" });
    fake.webhooks.mode = "hold";
    fake.webhooks.times = 2;
    const number = fake.openPull(SITE, { by: "ann", branch: "idea", files: await sample("draft") });
    const commit = fake.pushPull(SITE, number, await sample("2"));
    await fake.webhooks.release("reversed");
    await checks(SITE, commit);
    fake.closePull(SITE, number, "merged");
    fake.deleteBranch(SITE, "idea", "ann");
    await fake.webhooks.release("reversed");
    await deployed(commit);
    await checks(SITE, commit);
    fake.webhooks.mode = "deliver";
    fake.webhooks.times = 1;
    expect(updates).toHaveLength(2);
  });

  it("goes back once when the branch is forced back", async () => {
    const [first = ""] = wanted;
    fake.webhooks.times = 2;
    fake.setBranch(SITE, "live", first, "ann");
    await deployed(first);
    await fake.webhooks.idle();
    fake.webhooks.times = 1;
    await says("1");
    expect(updates).toHaveLength(3);
  });

  it("goes on while GitHub is down, and says all of it afterwards", async () => {
    const { Dockerfile = "", ...files } = await sample("3");
    const commit = fake.push(SITE, "live", { ...files, Dockerfile: `${Dockerfile}RUN sleep 3\n` });
    const build = await until("it is built", WAIT_MS, runningBuild, shown);
    fake.mishap({ mishap: { does: "status", status: 500 }, times: Number.POSITIVE_INFINITY });
    const notes = fake.push(SITE, "notes", { "notes.txt": "read me\n" }); // its webhook comes, and asking fails
    // What is at the branch is read once more before each deploy: nothing new runs before that goes well.
    await wait("it is pushed, and no more", async () => {
      const [newest] = await world.server.jobs("registry-tag");
      return newest?.state === "running" && (await world.server.log(newest.id)).includes("head cannot be read");
    });
    expect((await world.server.job(build)).state).toBe("ok");
    expect(await world.request()).toEqual({ status: 200, text: "version=1\n" });
    expect(updates).toHaveLength(3);
    expect(fake.requests.filter(({ status }) => status === 500).length).toBeGreaterThan(1);
    expect(checked(SITE, commit)).not.toBe("completed/success");
    fake.heal();
    await deployed(commit);
    await says("3");
    await checks(SITE, commit, notes);
    expect(updates).toHaveLength(4);
  });

  it("dies in the middle of a deploy, misses what is told meanwhile, and repeats nothing", async () => {
    const told = engine.hold("answer", isUpdate);
    const commit = fake.push(SITE, "live", await sample("4"));
    await Promise.race([told.arrived, wait("the update is on its way", () => updates.length === 5)]);
    await world.server.kill("SIGKILL");
    told.release();
    const main = fake.push(LIB, "main", { "lib.txt": "2\n" });
    const number = fake.openPull(LIB, {
      by: "bob",
      branch: "typo",
      files: { Dockerfile: "FROM scratch\nCOPY lob /\n" },
    });
    broken.add(fake.pull(LIB, number).commit);
    await fake.webhooks.idle();
    const lost = fake.webhooks.deliveries.filter(({ answers }) => answers.includes(0));
    expect(lost.map(({ event }) => event)).toEqual(expect.arrayContaining(["push", "pull_request"]));
    await world.serve(...flags);
    await deployed(commit);
    await checks(LIB, main, fake.pull(LIB, number).commit);
    const taken = fake.webhooks.deliveries.find(({ answers }) => answers.includes(202));
    for (const { id } of [...lost, ...(taken === undefined ? [] : [taken])])
      expect(await fake.webhooks.redeliver(id)).toBe(202);
  });

  it("ends with every head checked, what runs told, and nothing left to do", async () => {
    const metrics = async (): Promise<string> => (await fetch(`${world.server.url}/metrics`)).text();
    await wait("the inbox is empty", async () => /^millrace_forge_deliveries_open 0$/m.test(await metrics()));
    await wait("what was live before is told to be no more", () => deployments().filter(isActive).length === 1);

    for (const repo of [SITE, LIB]) {
      await checks(repo, ...headsOf(fake, repo));
      const unfinished = fake
        .repository(repo)
        .checkRuns.filter(({ states }) => !states.at(-1)?.startsWith("completed/"));
      expect(unfinished).toEqual([]);
    }
    expect(headsOf(fake, LIB)).toHaveLength(3);
    expect(deployments().map((one) => one.commit)).toEqual(wanted);
    expect(deployments().filter(isActive)).toEqual(deployments().slice(-1));
    expect(deployments().map(({ environment }) => environment)).toEqual(wanted.map(() => world.service()));
    expect(await world.request()).toEqual({ status: 200, text: "version=4\n" });
    expect((await world.now()).image).toBe(`${world.image}@${await world.digestOf("live")}`);
    expect(updates).toHaveLength(wanted.length);
    const jobs = await world.server.jobs();
    expect(jobs.filter(({ state }) => state === "cancelled")).toEqual([]);
    expect(jobs.filter(({ state }) => state === "failed").map(({ op }) => op)).toEqual(["docker-check"]);
    expect(fake.violations).toEqual([]);
  });
});

const last = ({ statuses }: FakeDeployment): string | undefined => statuses.at(-1)?.state;

const isActive = (deployment: FakeDeployment): boolean => last(deployment) !== "inactive";

type FakeDeployment = ReturnType<FakeGitHub["repository"]>["deployments"][number];

/** The commits that branches and open pull requests are at. */
function headsOf(fake: FakeGitHub, repo: string): readonly string[] {
  const { branches, pulls } = fake.repository(repo).heads;
  const open = [...pulls.values()].filter(({ state }) => state === "open").map(({ commit }) => commit);
  return [...new Set([...branches.values(), ...open])];
}
