import { describe, expect, it } from "vitest";
import type { Builder } from "../../src/engine/cache/builder.ts";
import type { Changes } from "../../src/engine/changes.ts";
import { problem } from "../../src/engine/errors.ts";
import type { Refs } from "../../src/engine/refs.ts";
import type { CheckReport } from "../../src/pipeline/checks.ts";
import { lowerChecks } from "../../src/pipeline/checks.ts";
import { docker } from "../../src/pipeline/docker.ts";
import { publish } from "../../src/pipeline/publish.ts";
import type { DockerBuild } from "../../src/pipeline/types.ts";
import type { CheckedBuild, DockerCheckContext, DockerCheckKey } from "../../src/plugins/docker/index.ts";
import { createGit, type FetchedCommit, type GitContext, type GitFetchKey } from "../../src/plugins/git/index.ts";
import { checkOf } from "../../src/plugins/github/index.ts";
import { map } from "../../src/term/combinators.ts";
import { failure, type Result, success } from "../../src/term/output.ts";
import type { Term } from "../../src/term/term.ts";
import { createRig, dummyInput, graphText, type Rig } from "../../src/testing/index.ts";
import { box } from "../engine/cache/support.ts";
import { noEngine } from "../support/checking.ts";

const SOURCE = { url: "https://forge.example/acme/web.git" };
const DAY = 86_400_000;
/** Later than any test. */
const NOW = Date.UTC(2027, 0);
const MALLORY = { id: 66, login: "mallory" };
const FORK = { id: 600, name: "mallory/web" };
const CHANGED = { status: "changed", added: 1, removed: 0 } as const;
const BUILD = docker("Dockerfile", { live: publish("acme/web:live") });

/** A repository at a forge, who may write to it, and what the builders were asked for. */
function scene(builds: readonly DockerBuild[] = [BUILD], given: Rig = createRig(), stalenessMs?: number) {
  const rig = given;
  const { engine } = rig;
  const input = dummyInput<Refs>(engine, box("refs"));
  const writers = new Set<number>();
  const asked: number[] = [];
  let answer: (user: number) => Result<boolean> = (user) => success(writers.has(user));
  const built: DockerCheckKey[] = [];
  const compared: string[] = [];
  const patient: string[] = [];
  let compareWith = (): Promise<Result<Changes>> =>
    Promise.resolve(success({ since: "c0", whole: true, files: [{ path: "Dockerfile", ...CHANGED }] }));
  const fetched: string[] = [];
  const reports = new Map<string, CheckReport>();
  /** All that the forge would have been told, of whatever commit. */
  const saidToForge: string[] = [];
  const fetch: Builder<GitContext, GitFetchKey, FetchedCommit> = {
    ...shape("git-fetch", ({ source, commit }: GitFetchKey) => `${source.url} ${commit}`),
    value: {
      encode: ({ commit }) => commit,
      decode: (json) => (typeof json === "string" ? commitOf(json) : undefined),
    },
    build: async ({ behind }, { commit }, job) => {
      fetched.push(commit);
      if (behind === true) patient.push(commit);
      await job.start({ level: "harmless" });
      if (commit.startsWith("far")) await rig.clock.sleep(60_000);
      if (behind === true && commit.startsWith("busy")) await rig.clock.sleep(DAY);
      return success(commitOf(commit));
    },
  };
  const builder: Builder<DockerCheckContext, DockerCheckKey, CheckedBuild> = {
    ...shape(
      "docker-check",
      ({ build, scope, network }: DockerCheckKey) => `${build.tree} ${build.dockerfile} ${scope} ${network}`,
    ),
    value: { encode: ({ commit }) => ({ commit }), decode: () => undefined },
    build: async (_context, key, job) => {
      await job.start({ level: "average" });
      if (key.build.commit.startsWith("slow")) await new Promise((end) => job.signal.addEventListener("abort", end));
      if (job.signal.aborted) return failure(problem("CANCELLED", String(job.signal.reason)));
      built.push(key);
      if (key.build.commit.startsWith("bad")) return failure(problem("BUILD_FAILED", "exit code 1"));
      return success({ commit: key.build.commit });
    },
  };
  const context: DockerCheckContext = noEngine(rig.clock);
  const deployed = dummyInput<string>(engine, box("acme/web/Dockerfile/branch:live/build"));
  lowerChecks({
    ports: {
      engine,
      git: createGit("/nowhere", rig.clock),
      builders: { fetch },
      checks: {
        writers: {
          changes: async (repo, base, commit) => {
            compared.push(`${repo} ${base}...${commit}`);
            return compareWith();
          },
          mayWrite: async (_repo, user) => {
            asked.push(user);
            return answer(user);
          },
        },
        builder,
        build: context,
        report: (at, term) => told(at, term),
      },
    },
    repo: "acme/web",
    source: SOURCE,
    refs: input.term,
    builds,
    deployed: new Map([["acme/web/Dockerfile/branch:live", deployed.term]]),
    ...(stalenessMs === undefined ? {} : { stalenessMs }),
    at: "pipeline.ts:1",
  });
  const told = (at: { readonly key: string }, term: Term<CheckReport>) =>
    map(
      term,
      (report) => {
        reports.set(at.key, report);
        const builds = report.builds.map(({ spec, output }) => ({ spec, output }));
        const { state, title, summary } = checkOf({ ...report, builds, site: "" });
        saidToForge.push(`${state}: ${title} ${summary}`);
      },
      { box: { ...box(at.key) } },
    );
  engine.change(undefined, () => {});
  const settle = (ms = 0) => rig.clock.advance(ms);
  const graph = async () => {
    await settle();
    return graphText(engine)
      .trim()
      .split("\n")
      .map((line) => line.split(" ← ")[0]);
  };
  return {
    rig,
    input,
    writers,
    asked,
    built,
    fetched,
    reports,
    saidToForge,
    deployed,
    settle,
    graph,
    answers: (how: typeof answer) => (answer = how),
    compared,
    patient,
    compares: (how: typeof compareWith) => (compareWith = how),
  };
}

const shape = <K>(id: string, keyOf: (key: K) => string) => ({
  id,
  version: 1,
  level: "average" as const,
  autoCancel: true,
  key: keyOf,
  describe: (key: K) => `${id} ${keyOf(key)}`,
  inputs: (key: K) => ({ key: keyOf(key) }),
});

const commitOf = (commit: string): FetchedCommit => ({
  commit,
  tree: `tree-${commit}`,
  author: "a",
  subject: "s",
  whenMs: commit.startsWith("0") ? 0 : NOW,
});

function refs(branches: Readonly<Record<string, string>>, pulls: Refs["pulls"] = new Map()): Refs {
  const list = Object.entries(branches).map(([name, commit]) => [name, { commit }] as const);
  return { id: 5, name: "acme/web", defaultBranch: "main", branches: new Map(list), pulls };
}

const pull = (commit: string, more: object = {}): Refs["pulls"] =>
  new Map([[7, { number: 7, commit, base: "main", branch: "t", author: MALLORY, fork: FORK, ...more }]]);

describe("checks of branches and pull requests", () => {
  it("build each commit once, and what is deployed not again", async () => {
    const { input, built, deployed, graph, settle } = scene([BUILD, docker("doc/Dockerfile")]);
    input.set(refs({ main: "c1", same: "c1", live: "c2" }));
    deployed.set("sha256:x");
    await settle();
    const wanted = built.map(({ build, scope, network }) => [build.commit, build.dockerfile, scope, network].join(" "));
    expect(wanted.toSorted()).toEqual([
      "c1 Dockerfile own 5 default",
      "c1 doc/Dockerfile own 5 default",
      "c2 doc/Dockerfile own 5 default",
    ]);
    expect(await graph()).toEqual([
      "acme/web/Dockerfile/branch:live/build  ok",
      "acme/web/Dockerfile/branch:main/build  ok",
      "acme/web/branch:live/check  ok",
      "acme/web/branch:live/fetch  ok",
      "acme/web/branch:live/head  ok",
      "acme/web/branch:main/check  ok",
      "acme/web/branch:main/fetch  ok",
      "acme/web/branch:main/head  ok",
      "acme/web/doc%2FDockerfile/branch:live/build  ok",
      "acme/web/doc%2FDockerfile/branch:main/build  ok",
      "refs  ok",
    ]);
  });

  it("tell how far each Dockerfile is, with its job, and go with their branch", async () => {
    const { input, reports, graph, settle } = scene();
    input.set(refs({ main: "bad1" }));
    await settle();
    const report = reports.get("acme/web/branch:main/check");
    expect(report).toMatchObject({ repo: "acme/web", repository: 5, commit: "bad1", allowed: { state: "ok" } });
    expect(report?.builds).toMatchObject([
      { spec: "Dockerfile", output: { state: "failed", failure: { message: "exit code 1" } } },
    ]);
    expect(report?.builds[0]?.job).toMatch(/-docker-check-/);
    input.set(refs({}));
    expect(await graph()).toEqual(["acme/web/Dockerfile/branch:live/build  running", "refs  ok"]);
  });

  it("fetch what is only checked behind what is deployed", async () => {
    const { input, patient, fetched, settle } = scene([BUILD, docker("doc/Dockerfile")]);
    input.set(refs({ main: "c1", live: "c2" }));
    await settle();
    expect([fetched.toSorted(), patient]).toEqual([["c1", "c2"], ["c1"]]);
  });

  it("that wait for a commit hold up no deploy of the same one", async () => {
    const { input, graph, settle } = scene([BUILD, docker("doc/Dockerfile")]);
    const fetches = async () => (await graph()).filter((line) => line?.includes("/fetch "));
    input.set(refs({ main: "busy1" }));
    await settle(60_000);
    expect(await fetches()).toEqual(["acme/web/branch:main/fetch  running"]);
    input.set(refs({ main: "busy1", live: "busy1" }));
    expect(await fetches()).toEqual(["acme/web/branch:live/fetch  ok"]);
  });

  it("of what was pushed to meanwhile are given up at once, and only the newest goes on", async () => {
    const { input, rig, built, settle } = scene();
    for (const commit of ["slow1", "slow2", "c3"]) {
      input.set(refs({}, pull(commit, { fork: undefined })));
      await settle();
    }
    const checks = rig.engine.store.queries.jobs({ op: "docker-check" });
    expect(checks.map(({ state }) => state).toSorted()).toEqual(["cancelled", "cancelled", "ok"]);
    expect(built.map(({ build }) => build.commit)).toEqual(["c3"]);
    expect(rig.engine.jobs.open.size).toBe(0);
  });

  it("of a failed read of the branches change nothing", async () => {
    const { input, rig, graph } = scene();
    input.set(refs({ main: "c1" }));
    const before = (await graph()).filter((line) => line?.startsWith("acme/web/branch"));
    input.show({ state: "failed", failure: problem("REPO_UNREACHABLE", "502"), origin: "refs" });
    expect((await graph()).filter((line) => line?.startsWith("acme/web/branch"))).toEqual(before);
    expect(rig.engine.jobs.open.size).toBe(0);
  });
});

describe("an old branch", () => {
  it("is not built where pipeline.ts says how old is too old, but for the default one and pull requests", async () => {
    const { input, built, rig, graph, settle } = scene([docker("Dockerfile")], createRig(), 30 * DAY);
    const old = "0old";
    input.set(refs({ main: "0old-main", old, new: "new" }, pull("0old-pr", { fork: undefined })));
    await settle();
    expect(built.map(({ build }) => build.commit).toSorted()).toEqual(["0old-main", "0old-pr", "new"]);
    const lines = (await graph()).filter((line) => line?.includes("branch:old"));
    expect(lines).toEqual(["acme/web/branch:old/fetch  ok", "acme/web/branch:old/head  ok"]);
    input.set(refs({ main: "0old-main", old: "newer" }));
    await settle();
    expect(built.at(-1)?.build.commit).toBe("newer");
    input.set(refs({ main: "0old-main", old: "0older" }));
    await settle();
    expect(built.at(-1)?.build.commit).toBe("newer");
    expect(rig.engine.jobs.open.size).toBe(0);
  });
});

describe("a stranger's pull request", () => {
  it("is not even fetched before a maintainer approves that very commit; the next one waits again", async () => {
    const { input, rig, built, fetched, reports, graph, settle } = scene();
    const { approvals } = rig.engine;
    input.set(refs({}, pull("evil1")));
    await settle();
    expect([built, fetched]).toEqual([[], []]);
    expect(await graph()).toContain("acme/web/pr:7/head  waiting");
    expect(reports.get("acme/web/pr:7/check")?.allowed).toMatchObject({ state: "active", phase: "waiting" });
    expect(approvals.waiting()).toMatchObject([{ pull: 7, commit: "evil1", author: MALLORY, fork: "mallory/web" }]);
    const of = (commit: string) => ({ repository: 5, pull: 7, commit });
    expect(await approvals.approve(of("evil0"), "alice", "button")).toMatchObject({ error: { code: "NOT_POSSIBLE" } });
    expect(await approvals.approve({ ...of("evil1"), pull: 8 }, "alice", "button")).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
    expect(await approvals.approve(of("evil1"), "alice", "button")).toMatchObject({ ok: true });
    await settle();
    expect(built).toMatchObject([
      { build: { commit: "evil1" }, network: "none", scope: "evil1 of #7 of 5", stranger: true },
    ]);
    expect(approvals.waiting()).toEqual([]);
    input.set(refs({}, pull("evil2")));
    await settle();
    expect(built).toHaveLength(1);
    expect(approvals.waiting()).toMatchObject([{ commit: "evil2" }]);
    expect(await approvals.approve(of("evil1"), "alice", "button")).toMatchObject({ error: { code: "NOT_POSSIBLE" } });
  });

  it("is compared with its base branch when somebody asks, for as long as it waits", async () => {
    const { input, rig, compared, compares, settle } = scene();
    const { approvals } = rig.engine;
    input.set(refs({ main: "c1" }, pull("evil1")));
    await settle();
    const which = { repository: 5, pull: 7, commit: "evil1" };
    expect(compared).toEqual([]);
    expect(await approvals.proposal(which)).toEqual(
      success({ since: "c0", whole: true, deciding: [{ path: "Dockerfile", ...CHANGED }], others: [] }),
    );
    input.set(refs({ main: "c2" }, pull("evil1")));
    await settle();
    await approvals.proposal(which);
    expect(compared).toEqual(["acme/web c1...evil1", "acme/web c2...evil1"]);
    compares(async () => {
      await rig.clock.sleep(60_000);
      return failure(problem("CANCELLED", "called off"));
    });
    const late = approvals.proposal(which);
    await settle(60_000);
    expect(await late).toMatchObject({ ok: false, error: { code: "FORGE_UNREACHABLE" } });
    expect(await approvals.proposal({ ...which, commit: "evil0" })).toMatchObject({ error: { code: "NOT_FOUND" } });
    await approvals.approve(which, "alice", "button");
    await settle();
    expect(await approvals.proposal(which)).toMatchObject({ error: { code: "NOT_FOUND" } });
  });

  it("that is pushed to while its approval is stored stays unbuilt", async () => {
    const { input, rig, built, settle } = scene();
    input.set(refs({}, pull("evil1")));
    await settle();
    const approved = rig.engine.approvals.approve({ repository: 5, pull: 7, commit: "evil1" }, "alice", "comment");
    input.set(refs({}, pull("evil2")));
    await settle();
    expect((await approved).ok).toBe(true);
    await settle();
    expect(built).toEqual([]);
  });

  it("stays approved over a restart", async () => {
    const first = scene();
    first.input.set(refs({}, pull("evil1")));
    await first.settle();
    await first.rig.engine.approvals.approve({ repository: 5, pull: 7, commit: "evil1" }, "alice", "button");
    const again = scene([BUILD], await first.rig.restart());
    again.input.set(refs({}, pull("evil1")));
    await again.settle();
    expect(again.rig.engine.approvals.waiting()).toEqual([]);
    expect(again.fetched.concat(again.built.map(({ build }) => build.commit))).not.toContain("evil2");
    expect(await again.graph()).toContain("acme/web/pr:7/head  ok");
  });

  it("gets the network only where pipeline.ts says so by an unsafe name", async () => {
    const { input, rig, built, settle } = scene([docker.with({ unsafeNetwork: true })("Dockerfile")]);
    input.set(refs({}, pull("evil1")));
    await settle();
    await rig.engine.approvals.approve({ repository: 5, pull: 7, commit: "evil1" }, "alice", "button");
    await settle();
    expect(built).toMatchObject([{ network: "default", scope: "evil1 of #7 of 5" }]);
  });
});

it.each([undefined, 30 * DAY])("a new commit is told nothing of the one before (staleness: %s)", async (staleness) => {
  const { input, reports, settle } = scene([docker("Dockerfile")], createRig(), staleness);
  input.set(refs({ main: "c1" }));
  await settle();
  expect(reports.get("acme/web/branch:main/check")).toMatchObject({
    commit: "c1",
    builds: [{ output: { state: "ok" } }],
  });
  input.set(refs({ main: "far2" }));
  await settle(30_000);
  const next = reports.get("acme/web/branch:main/check");
  expect(next).toMatchObject({ commit: "far2", builds: [{ output: { state: "active" } }] });
});

describe("a writer's pull request", () => {
  it("from their own fork is built at once, by their number, in caches of that fork", async () => {
    const { input, writers, asked, built, settle } = scene();
    writers.add(66);
    input.set(refs({}, pull("c1")));
    await settle();
    expect(asked).toEqual([66]);
    expect(built).toMatchObject([{ network: "default", scope: "fork 600 of 5 by 66" }]);
    expect(built[0]?.shares.map(({ name, max }) => `${name}: ${max}`)).toEqual([
      "author 66: 2",
      "fork 600 of 5: 2",
      "pull requests of 5: 5",
    ]);
  });

  it("from somebody else's fork, or one that is gone, waits: who pushes there is not known", async () => {
    const { input, writers, asked, built, settle } = scene();
    writers.add(66);
    input.set(refs({}, pull("c1", { fork: { id: 601, name: "eve/web" } })));
    await settle();
    input.set(refs({}, pull("c2", { fork: "gone" })));
    await settle();
    expect([asked, built]).toEqual([[], []]);
  });

  it("of a branch of the repository itself is built at once", async () => {
    const { input, asked, built, settle } = scene();
    input.set(refs({}, new Map([[7, { number: 7, commit: "c1", base: "main", branch: "t", author: MALLORY }]])));
    await settle();
    expect(asked).toEqual([]);
    expect(built).toMatchObject([{ scope: "own 5" }]);
  });

  it("waits for nobody while the forge does not say who they are, says why, and is asked for again", async () => {
    const { input, asked, built, settle, answers, saidToForge } = scene();
    answers(() => failure(problem("REPO_UNREACHABLE", "502")));
    input.set(refs({}, pull("c1")));
    await settle(30_000);
    expect([asked, built]).toEqual([[66], []]);
    expect(saidToForge.at(-1)).toContain("queued: Not begun yet `502`");
    answers(() => failure({ ...problem("FORGE_RATE_LIMITED", "slow"), retryAtMs: Number.POSITIVE_INFINITY }));
    await settle(60_000);
    answers(() => success(true));
    await settle(59 * 60_000);
    expect([asked.length, built]).toEqual([2, []]);
    await settle(60_000);
    expect(built).toHaveLength(1);
    // Branch protection counts "neutral" as passed.
    expect(saidToForge.filter((said) => said.startsWith("neutral"))).toEqual([]);
  });

  it("waits for a maintainer only after a no, and can be approved before one too", async () => {
    const { input, rig, built, settle, answers, saidToForge } = scene();
    answers(() => failure(problem("FORGE_REFUSED", "no right to ask")));
    input.set(refs({}, pull("c1")));
    await settle(60_000);
    expect(saidToForge.at(-1)).toContain("failure: It cannot be built `no right to ask`");
    answers(() => success(false));
    await settle(10 * 60_000);
    expect(saidToForge.at(-1)).toContain("neutral: Waiting for approval");
    answers(() => failure(problem("FORGE_UNREACHABLE", "502")));
    input.set(refs({}, pull("c2")));
    await settle();
    await rig.engine.approvals.approve({ repository: 5, pull: 7, commit: "c2" }, "alice", "button");
    await settle();
    expect(built).toMatchObject([{ build: { commit: "c2" }, network: "none" }]);
  });
});
