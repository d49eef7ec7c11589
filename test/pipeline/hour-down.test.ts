// GitHub is down for an hour while builds and a deploy go on: everything but git, Docker and the target is real.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { writersOf } from "../../src/app/checks.ts";
import { cached } from "../../src/engine/cache/cache.ts";
import { createClock } from "../../src/engine/clock.ts";
import { deploy } from "../../src/engine/effects/deploy.ts";
import { Outbox } from "../../src/engine/effects/outbox.ts";
import { problem } from "../../src/engine/errors.ts";
import { Inbox } from "../../src/engine/inbox.ts";
import { approveByComment } from "../../src/pipeline/approve-comments.ts";
import { type CheckPorts, lowerChecks } from "../../src/pipeline/checks.ts";
import { docker } from "../../src/pipeline/docker.ts";
import { publish } from "../../src/pipeline/publish.ts";
import { CheckReports } from "../../src/pipeline/report-checks.ts";
import { rereading } from "../../src/pipeline/reread.ts";
import { tellDeploy } from "../../src/pipeline/tell-deploys.ts";
import { createGit } from "../../src/plugins/git/index.ts";
import { checkSender, deploymentSender, type GitHub } from "../../src/plugins/github/index.ts";
import { map, mapResult } from "../../src/term/combinators.ts";
import { failure, success } from "../../src/term/output.ts";
import { createRig, DummyBuilder, type FakeGitHub, FakeWorld } from "../../src/testing/index.ts";
import { box } from "../engine/cache/support.ts";
import { anyCommit, checkBuilder, noEngine, watchedAt } from "../support/checking.ts";
import { clientOf, closeStrictly, startFake } from "../support/github.ts";

const REPO = "acme/shop";
const MINUTE = 60_000;
const SITE = "https://deploy.example";

let fake: FakeGitHub;
beforeEach(async () => {
  fake = await startFake(REPO);
});
afterEach(() => closeStrictly(fake));

/** What is asked of GitHub takes real time: virtual time stands still meanwhile. */
function counted(github: GitHub): { readonly github: GitHub; readonly idle: () => Promise<void> } {
  let open = 0;
  const of = new Proxy(github, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: readonly unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, target, args);
        if (!(answer instanceof Promise)) return answer;
        open += 1;
        return answer.finally(() => (open -= 1));
      };
    },
  });
  return { github: of, idle: () => vi.waitUntil(() => open === 0, { interval: 1, timeout: 20_000 }).then(() => {}) };
}

/** Builds take as long as is said of their commit, and come to what is said of it. */
interface Plan {
  readonly minutes: Map<string, number>;
  readonly bad: Set<string>;
}

function lowered(engine: ReturnType<typeof createRig>["engine"], plan: Plan, real: GitHub) {
  const begun: string[] = [];
  const builder = checkBuilder(async ({ build: { commit } }, { signal }) => {
    begun.push(commit);
    await engine.clock.sleep((plan.minutes.get(commit) ?? 1) * MINUTE, signal);
    if (signal.aborted) return failure(problem("CANCELLED", String(signal.reason)));
    return plan.bad.has(commit) ? failure(problem("BUILD_FAILED", "exit code: 3")) : success({ commit });
  });
  const clock = createClock();
  const writers = writersOf(real, engine.clock);
  return { begun, writers, git: createGit("/nowhere", clock), builder, build: noEngine(clock, 9) };
}

/** Branches and pull requests are checked, `live` is deployed, comments are heard. */
function serve(plan: Plan) {
  const rig = createRig();
  const { engine } = rig;
  const clock = { ...createClock(), sleep: () => Promise.resolve() };
  const { github, idle } = counted(clientOf(fake, { clock }));
  const { begun, writers, git, builder, build } = lowered(engine, plan, github);
  const outbox = new Outbox(engine);
  const reports = new CheckReports(engine, { outbox, sender: checkSender(github, fake.app.appId), site: SITE });
  const { heads, source, refs, reread: readRefs, monitor } = watchedAt(github, engine, REPO);
  const report: NonNullable<CheckPorts["report"]> = (at, of) => reports.term(at, of);
  const live = mapResult(heads, box("live"), (found) => {
    const commit = found.get("live");
    return commit === undefined ? failure(problem("MISSING_BRANCH", "live")) : success(commit);
  });
  const images = new DummyBuilder();
  const image = cached(engine, box("image"), images, "here", live);
  const world = new FakeWorld(rig.clock);
  world.moveMs = 10 * MINUTE;
  world.byHand("web", { running: "old" });
  const fresh = (): ReturnType<typeof monitor.refresh> => monitor.refresh();
  const options = { owner: "demo", drift: "report" as const, fresh };
  const { term, lane } = deploy(engine, box("web/deploy"), world.kind(rig), "web", image, options);
  const tellers = { outbox, site: SITE, github: deploymentSender(github, "demo"), messages: [] };
  tellDeploy(engine, tellers, {
    about: { term: term.key, repo: REPO, branch: "live", place: "shop_web" },
    commit: map(live, (commit) => commit),
    deployed: term,
    before: [],
    making: ["image"],
    rolledOut: (generation) => lane.rolledOut(generation),
    onGitHub: true,
    box: (verb) => box(`web/${verb}`),
  });
  lowerChecks({
    ports: { engine, git, builders: { fetch: anyCommit }, checks: { writers, builder, build, report } },
    repo: REPO,
    source,
    refs,
    builds: [docker("Dockerfile", { live: publish("acme/shop:live") })],
    deployed: new Map([["acme/shop/Dockerfile/branch:live", image]]),
    at: "pipeline.ts:1",
  });
  const reread = rereading([{ repo: REPO, refs, reread: readRefs }]);
  const inbox = new Inbox(engine);
  inbox.handle((hint) => reports.handle(hint, writers, reread));
  inbox.handle(approveByComment(engine, writers, "github", reread));
  inbox.start();
  engine.change(undefined, () => {});
  const pass = async (minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await rig.clock.advance(MINUTE);
      await idle();
      await rig.clock.settle();
      await idle();
      for (const run of images.runs) run.succeed(`image of ${run.key}`);
    }
  };
  return { engine, outbox, inbox, world, begun, pass, refresh: () => monitor.refresh() };
}

/** What GitHub shows of a commit: each check run with all its states. */
const checksOf = (commit: string): readonly string[] =>
  fake
    .repository(REPO)
    .checkRuns.filter((run) => run.commit === commit)
    .map(({ states }) => states.join(" "));

const deploymentsOf = (commit: string): readonly string[] =>
  fake
    .repository(REPO)
    .deployments.filter((one) => one.commit === commit)
    .map(({ statuses }) => statuses.map(({ state }) => state).join(" "));

/** One check run and one status of a deployment come to be, but nobody is answered; from then on nothing at all. */
function goesDown(): void {
  for (const on of [/^POST .*\/check-runs/, /^POST .*\/statuses/])
    fake.mishap({ mishap: { does: "lose answer" }, on, times: 1 });
  fake.mishap({ mishap: { does: "status", status: 502 }, times: Number.POSITIVE_INFINITY });
}

const last = (states: readonly string[]): readonly (string | undefined)[] => states.map((one) => one.split(" ").at(-1));

it("an hour without GitHub cancels no build, and loses no status, no pull request and no approval", async () => {
  const plan: Plan = { minutes: new Map(), bad: new Set() };
  const first = fake.push(REPO, "live", { "live.txt": "1" });
  const { engine, outbox, inbox, world, begun, pass, refresh } = serve(plan);
  await pass(13);
  expect(deploymentsOf(first)).toEqual(["in_progress success"]);

  // Under way when it begins: builds that end well, end badly, and outlast the hour; a deploy.
  const commits = ["well", "badly", "long"].map((name) => {
    const commit = fake.push(REPO, name, { "a.txt": name });
    plan.minutes.set(commit, name === "long" ? 80 : 15);
    return commit;
  });
  const [well = "", badly = "", long = ""] = commits;
  plan.bad.add(badly);
  const second = fake.push(REPO, "live", { "live.txt": "2" });
  await pass(4);
  expect(commits.flatMap(checksOf)).toEqual(["in_progress", "in_progress", "in_progress"]);
  expect(deploymentsOf(second)).toEqual(["in_progress"]);

  const lost = fake.push(REPO, "lost", { "a.txt": "lost" });
  await refresh();
  goesDown();
  await pass(20);
  const third = fake.push(REPO, "live", { "live.txt": "3" });
  const from = fake.fork(REPO, "mallory");
  fake.role(REPO, "ann", "write");
  const pulls = ["early", "soon", "late"].map((branch) =>
    fake.pull(REPO, fake.openPull(REPO, { by: "mallory", from, branch, files: { "x.txt": branch } })),
  );
  const [early, soon, late] = pulls;
  if (early === undefined || soon === undefined || late === undefined) throw new Error("no pull requests");
  const approve = ({ number, commit }: typeof early) => {
    const author = { id: fake.user("ann").id, login: "ann" };
    const about = { repository: fake.repository(REPO).id, pull: number, comment: number, author };
    const hint = { kind: "comment", ...about, body: `/approve ${commit}` } as const;
    return inbox.receive({ id: `github ${number}`, kind: "issue_comment", bodyDigest: "", hint });
  };
  await approve(early); // while nothing can be asked
  await pass(40);
  expect(world.thing("web")?.running).toBe(`image of ${second}`);
  expect(last([well, badly, lost].flatMap(checksOf))).toEqual(["in_progress", "in_progress", "in_progress"]);
  expect(outbox.unsent().map(({ kind }) => kind)).toContain("github-deployment");

  fake.heal();
  await approve(soon); // before its pull request was read
  await pass(12);
  expect(last([well, lost].flatMap(checksOf))).toEqual(["completed/success", "completed/success"]);
  expect(last(checksOf(badly))).toEqual(["completed/failure"]);
  expect(last(checksOf(long))).toEqual(["in_progress"]);
  expect(last([early.commit, soon.commit].flatMap(checksOf))).toEqual(["completed/success", "completed/success"]);
  expect(last(checksOf(late.commit))).toEqual(["completed/neutral"]);
  await approve(late);
  await pass(12);
  expect(last([...checksOf(long), ...checksOf(late.commit)])).toEqual(["completed/success", "completed/success"]);
  expect(last([first, second, third].flatMap(deploymentsOf))).toEqual(["inactive", "inactive", "success"]);
  expect(world.thing("web")?.running).toBe(`image of ${third}`);

  expect(begun).toHaveLength(new Set(begun).size);
  expect(engine.store.queries.jobs({}).filter(({ state }) => state !== "ok" && state !== "failed")).toEqual([]);
  expect(engine.approvals.waiting()).toEqual([]);
  expect([outbox.unsent(), inbox.open]).toEqual([[], 0]);
}, 60_000);
