// From a push at GitHub to its check run there: the real client, real git, a strict GitHub on this machine. Only the
// Docker engine is stood for: what it is given is what counts here.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { writersOf } from "../../src/app/checks.ts";
import { createClock } from "../../src/engine/clock.ts";
import { Outbox } from "../../src/engine/effects/outbox.ts";
import { problem } from "../../src/engine/errors.ts";
import { approveByComment } from "../../src/pipeline/approve-comments.ts";
import { lowerChecks } from "../../src/pipeline/checks.ts";
import { docker } from "../../src/pipeline/docker.ts";
import { CheckReports } from "../../src/pipeline/report-checks.ts";
import { rereading } from "../../src/pipeline/reread.ts";
import type { DockerCheckKey } from "../../src/plugins/docker/index.ts";
import { createGit, gitFetch } from "../../src/plugins/git/index.ts";
import { checkSender } from "../../src/plugins/github/index.ts";
import { failure, success } from "../../src/term/output.ts";
import { createRig, type FakeGitHub } from "../../src/testing/index.ts";
import { checkBuilder, noEngine, watchedAt } from "../support/checking.ts";
import { clientOf, closeStrictly, startFake } from "../support/github.ts";

const REPO = "acme/shop";
let fake: FakeGitHub;
let state: string;
beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), "millrace-checks-"));
  fake = await startFake(REPO);
});
afterEach(async () => {
  rmSync(state, { recursive: true, force: true });
  await closeStrictly(fake);
});

/** Everything but the Docker engine; `built` is what it was given. */
function serve() {
  const rig = createRig();
  const { engine } = rig;
  const clock = createClock();
  const github = clientOf(fake, { clock });
  const built: DockerCheckKey[] = [];
  const builder = checkBuilder(async (key) => {
    built.push(key);
    const bad = key.build.dockerfile === "bad/Dockerfile";
    return bad ? failure(problem("BUILD_FAILED", "exit code: 3")) : success({ commit: key.build.commit });
  });
  const outbox = new Outbox(engine);
  const reports = new CheckReports(engine, {
    outbox,
    sender: checkSender(github, fake.app.appId),
    site: "https://deploy.example",
  });
  const { refs, reread, source } = watchedAt(github, engine, REPO);
  const writers = writersOf(github, clock);
  lowerChecks({
    ports: {
      engine,
      git: createGit(state, clock),
      builders: { fetch: gitFetch },
      checks: {
        writers,
        builder,
        build: noEngine(clock),
        report: (at, report) => reports.term(at, report),
      },
    },
    repo: REPO,
    source,
    refs,
    builds: [docker("Dockerfile"), docker("bad/Dockerfile")],
    deployed: new Map(),
    at: "pipeline.ts:1",
  });
  engine.change(undefined, () => {});
  /** Waits until a commit's check says so, while virtual time passes. */
  const says = (commit: string, wanted: string): Promise<void> =>
    vi.waitFor(
      async () => {
        await rig.clock.advance(1_000);
        const run = fake.repository(REPO).checkRuns.findLast((one) => one.commit === commit);
        expect(run?.states.at(-1)).toBe(wanted);
      },
      { timeout: 9_000, interval: 20 },
    );
  const comment = approveByComment(engine, writers, "github", rereading([{ repo: REPO, refs, reread }]));
  return { rig, engine, built, says, comment };
}

const commitOf = (number: number): string => fake.pull(REPO, number).commit;
const summaryOf = (commit: string): string =>
  JSON.stringify(fake.repository(REPO).checkRuns.findLast((one) => one.commit === commit));

describe("a commit at GitHub", () => {
  it("is fetched, built once for each Dockerfile, and told as one check run", async () => {
    const commit = fake.push(REPO, "topic", { Dockerfile: "FROM scratch\n" });
    fake.openPull(REPO, { by: "ann", branch: "topic" });
    const { says, built } = serve();
    await says(commit, "completed/failure");
    expect(summaryOf(commit)).toContain("exit code: 3");
    expect(built.filter(({ build }) => build.commit === commit)).toHaveLength(2);
    expect(built[0]).toMatchObject({ network: "default" });
    expect(fake.repository(REPO).checkRuns.filter((run) => run.commit === commit)).toHaveLength(1);
  });

  it("of a stranger's fork waits for the approval of that very commit, by somebody who may write", async () => {
    const from = fake.fork(REPO, "mallory");
    const number = fake.openPull(REPO, { by: "mallory", from, files: { "x.txt": "1" } });
    const first = commitOf(number);
    const { says, built, comment, engine, rig } = serve();
    await says(first, "completed/neutral");
    expect(summaryOf(first)).toContain(`/approve ${first}`);
    const about = { kind: "comment", repository: fake.repository(REPO).id, pull: number, comment: 1 } as const;
    const say = (login: string, commit: string) =>
      comment({ ...about, author: { id: fake.user(login).id, login }, body: `/approve ${commit}` });
    expect(await say("mallory", first)).toMatchObject({ error: { code: "FORBIDDEN" } });
    fake.role(REPO, "ann", "write");
    const second = fake.push(from, fake.pull(REPO, number).branch, { "x.txt": "2" });
    // It comes before we have seen the push that it is about.
    expect(await say("ann", second)).toMatchObject({ ok: true });
    expect(await say("ann", first)).toMatchObject({ error: { code: "NOT_POSSIBLE" } });
    await says(second, "completed/failure"); // of the bad Dockerfile: it was built
    expect(built.filter(({ build }) => build.commit === second)).toMatchObject([
      { network: "none" },
      { network: "none" },
    ]);
    expect(built.filter(({ build }) => build.commit === first)).toEqual([]);
    // What cannot be read is neither approved nor refused.
    fake.mishap({ mishap: { does: "status", status: 502 }, on: "GET /repos/{owner}/{repo}/pulls", times: 5 });
    const third = fake.push(from, fake.pull(REPO, number).branch, { "x.txt": "3" });
    expect(await say("ann", third)).toMatchObject({ error: { class: "transient" } });
    fake.heal();
    expect(await say("ann", third)).toMatchObject({ ok: true });
    await says(third, "completed/failure");
    await rig.clock.settle();
    expect(engine.store.queries.audit(9).map(({ who, what }) => `${who} ${what}`)).toContainEqual(
      expect.stringMatching(/^github:mallory#\d+ approve$/),
    );
  });

  it("of a writer's own fork is built at once, and never told as waiting, which would count as passed", async () => {
    const from = fake.fork(REPO, "bob");
    fake.mishap({ mishap: { does: "delay", delayMs: 300 }, on: "GET /user/{account_id}" });
    fake.role(REPO, "bob", "write");
    const number = fake.openPull(REPO, { by: "bob", from, files: { "y.txt": "1" } });
    const { says, built } = serve();
    await says(commitOf(number), "completed/failure");
    const [made] = built.filter(({ build }) => build.commit === commitOf(number));
    expect(made).toMatchObject({ network: "default" });
    expect(made?.scope).toMatch(/^fork \d+ of \d+ by \d+$/);
    const run = fake.repository(REPO).checkRuns.findLast(({ commit }) => commit === commitOf(number));
    expect(run?.states).not.toContain("completed/neutral");
  });
});
