// One repository with thousands of branches and pull requests, through everything that Millrace does with them: read
// page by page, watched, checked, built, told to GitHub, shown.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import { Outbox } from "../../src/engine/effects/outbox.ts";
import type { Sender } from "../../src/engine/effects/sender.ts";
import { lowerChecks } from "../../src/pipeline/checks.ts";
import { docker } from "../../src/pipeline/docker.ts";
import { CheckReports } from "../../src/pipeline/report-checks.ts";
import { createGit } from "../../src/plugins/git/index.ts";
import { type CheckWant, checkSender } from "../../src/plugins/github/index.ts";
import { success } from "../../src/term/output.ts";
import { createRig, FakeGitHub } from "../../src/testing/index.ts";
import { anyCommit, checkBuilder, noEngine, watchedAt } from "../support/checking.ts";
import { clientOf } from "../support/github.ts";

const REPO = "acme/shop";
const BRANCHES = 5_000;
const PULLS = 2_000;
/** Some seconds on a machine that does nothing else. */
const PATIENCE_MS = 300_000;

const commitNumber = (number: number): string => number.toString(16).padStart(40, "0");
const branchNumber = (number: number): string => (number === 0 ? "main" : `branch-${number}`);

/** A GitHub with a repository of that size; all pull requests are a stranger's. */
async function crowdedGitHub(): Promise<FakeGitHub> {
  const fake = await FakeGitHub.start();
  const { id } = fake.repo(REPO);
  fake.install("acme");
  const from = fake.fork(REPO, "mallory");
  const pull = fake.pull(REPO, fake.openPull(REPO, { by: "mallory", from, files: { "x.txt": "1" } }));
  const repository = fake.repository(REPO);
  const numbers = Array.from({ length: PULLS }, (_, at) => at + 1);
  const pulls = numbers.map(
    (number) => [number, { ...pull, number, id: id + number, commit: commitNumber(1e6 + number) }] as const,
  );
  const branches = Array.from({ length: BRANCHES }, (_, at) => [branchNumber(at), commitNumber(at)] as const);
  repository.heads = { ...repository.heads, branches: new Map(branches), pulls: new Map(pulls) };
  return fake;
}

/** Everything from GitHub's answers to what is told; only git, Docker and the last request stand still. */
function serve(fake: FakeGitHub) {
  const rig = createRig();
  const { engine } = rig;
  const clock = createClock();
  const github = clientOf(fake, { clock });
  const built: string[] = [];
  const builder = checkBuilder(async ({ build: { commit } }) => {
    built.push(commit);
    return success({ commit });
  });
  const told = new Map<string, CheckWant["state"]>();
  const sender: Sender<CheckWant> = {
    ...checkSender(github),
    send: async ({ commit, state }) => {
      told.set(commit, state);
      return success({});
    },
  };
  const outbox = new Outbox(engine);
  const reports = new CheckReports(engine, { outbox, sender, site: "https://deploy.example" });
  const { refs, source, monitor } = watchedAt(github, engine, REPO);
  lowerChecks({
    ports: {
      engine,
      git: createGit("/nowhere", clock),
      builders: { fetch: anyCommit },
      checks: {
        writers: { mayWrite: async () => success(false) },
        builder,
        build: noEngine(clock),
        report: (at, report) => reports.term(at, report),
      },
    },
    repo: REPO,
    source,
    refs,
    builds: [docker("Dockerfile")],
    deployed: new Map(),
    at: "pipeline.ts:1",
  });
  engine.change(undefined, () => {});
  return { rig, engine, outbox, built, told, refresh: () => monitor.refresh() };
}

describe(`a repository with ${BRANCHES} branches and ${PULLS} open pull requests`, () => {
  let fake: FakeGitHub;
  let at: ReturnType<typeof serve>;
  beforeAll(async () => {
    fake = await crowdedGitHub();
    at = serve(fake);
    await at.refresh();
    await at.rig.clock.advance(3_000);
  }, PATIENCE_MS);
  afterAll(() => fake.close());

  it("has each of them seen, built or waiting for a maintainer, and told", () => {
    expect(fake.violations).toEqual([]);
    expect(new Set(at.built).size).toBe(BRANCHES);
    expect(at.built).toHaveLength(BRANCHES);
    expect(at.engine.approvals.waiting()).toHaveLength(PULLS);
    const count = (state: CheckWant["state"]): number => [...at.told.values()].filter((one) => one === state).length;
    expect([count("success"), count("neutral")]).toEqual([BRANCHES, PULLS]);
    expect(at.outbox.unsent()).toEqual([]);
  });

  it(
    "is read again for a few requests that count, and a push moves what belongs to its branch",
    async () => {
      const before = fake.requests.length;
      const { heads } = fake.repository(REPO);
      const moved = new Map([...heads.branches, [branchNumber(77), commitNumber(2e6)] as const]);
      fake.repository(REPO).heads = { ...heads, branches: moved };
      const changed: number[] = [];
      const steps = at.engine.steps.subscribe((step) => void changed.push(step.changed.length));
      await at.refresh();
      await at.rig.clock.advance(3_000);
      steps.unsubscribe();
      expect(fake.requests.slice(before).filter(({ status }) => status !== 304)).toHaveLength(1);
      expect(at.built.slice(BRANCHES)).toEqual([commitNumber(2e6)]);
      expect(at.told.get(commitNumber(2e6))).toBe("success");
      expect(Math.max(...changed)).toBeLessThan(10);
    },
    PATIENCE_MS,
  );
});
