import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { cached } from "../../../src/engine/cache/cache.ts";
import { createClock } from "../../../src/engine/clock.ts";
import { cacheDir } from "../../../src/plugins/git/cache.ts";
import { createGit, gitFetch } from "../../../src/plugins/git/index.ts";
import { success } from "../../../src/term/output.ts";
import { createRig, dummyInput, TestClock } from "../../../src/testing/index.ts";
import { box, HOUR } from "../../engine/cache/support.ts";
import { makeRepository } from "../../support/git.ts";
import { testJob } from "../../support/job.ts";

const state = mkdtempSync(join(tmpdir(), "millrace-state-"));
const context = createGit(state, createClock());
const work = makeRepository({ "a.txt": "1" });
const source = { url: work.dir };
afterAll(() => {
  rmSync(state, { recursive: true, force: true });
  work.dispose();
});

test("fetches a commit once, and says what it is", async () => {
  const commit = work.commit({ "a.txt": "2" }, "<b>second</b>\n\nbody");
  const job = testJob();
  const first = await gitFetch.build(context, { source, commit }, job);
  const value = { commit, tree: work.git("rev-parse", "HEAD^{tree}"), author: "Ada Tester", subject: "<b>second</b>" };
  expect(first).toEqual({ ok: true, value: { ...value, whenMs: Date.parse("2026-01-02T03:04:05Z") } });
  expect(job.starts).toMatchObject([{ level: "harmless" }]);
  const again = testJob();
  expect(await gitFetch.build(context, { source, commit }, again)).toEqual(first);
  expect(again.text()).toBe("");
  const stored = first.ok ? gitFetch.value.encode(first.value) : null;
  expect(success(gitFetch.value.decode(stored))).toEqual(first);
});

test("what is there already waits for no fetch of others, only for those who look for theirs", async () => {
  const commit = work.git("rev-parse", "HEAD");
  await gitFetch.build(context, { source, commit }, testJob());
  let end = (): void => {};
  const hanging = context.locks.hold(
    cacheDir(context, source),
    testJob().signal,
    () => new Promise<void>((resolve) => void (end = resolve)),
  );
  const turns = vi.spyOn(context.locks, "hold");
  for (const behind of [false, true])
    expect(await gitFetch.build({ ...context, behind }, { source, commit }, testJob())).toMatchObject({ ok: true });
  const look = `${cacheDir(context, source)} look`;
  expect(turns.mock.calls.map(([name, _signal, _work, behind]) => [name, behind])).toEqual([
    [look, false],
    [look, true],
  ]);
  turns.mockRestore();
  end();
  await hanging;
});

test("a job that is cancelled does not stay open until its turn comes", async () => {
  const fresh = createGit(state, createClock());
  let end = (): void => {};
  const hanging = fresh.locks.hold(
    cacheDir(fresh, source),
    testJob().signal,
    () => new Promise<void>((resolve) => void (end = resolve)),
  );
  const job = testJob();
  const fetched = gitFetch.build(fresh, { source, commit: work.git("rev-parse", "HEAD") }, job);
  await new Promise(setImmediate);
  job.cancel();
  expect(await fetched).toMatchObject({ ok: false, error: { code: "CANCELLED" } });
  end();
  await hanging;
});

test("the wait for its turn is none of the time that a fetch may take", async () => {
  const { engine, clock } = createRig();
  const git = createGit(state, clock);
  let end = (): void => {};
  const hanging = git.locks.hold(
    cacheDir(git, source),
    testJob().signal,
    () => new Promise<void>((resolve) => void (end = resolve)),
  );
  const wanted = dummyInput(engine, box("wanted"), { source, commit: work.commit({ "a.txt": "waits" }) });
  const fetched = cached(engine, box("fetched"), gitFetch, git, wanted.term);
  engine.change(undefined, () => {});
  await clock.advance(HOUR);
  end();
  await hanging;
  await vi.waitFor(async () => {
    await clock.advance(0);
    expect(fetched.output).not.toMatchObject({ state: "active" });
  });
  expect(fetched.output).toMatchObject({ state: "ok" });
});

test("a fetch that hangs is ended after half an hour, and tried by no other way", async () => {
  const clock = new TestClock();
  let connections = 0;
  const silent = createServer(() => void (connections += 1));
  await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const away = { url: `http://127.0.0.1:${port}/x.git` };
  const commit = work.git("rev-parse", "HEAD");
  const fetched = gitFetch.build(createGit(state, clock), { source: away, commit }, testJob());
  await vi.waitFor(() => expect(connections).toBe(1));
  await clock.advance(HOUR / 2);
  const hint = "Find out what is so slow, then press Rebuild.";
  const error = { code: "TIMED_OUT", message: "git fetch gave no answer within 1800 s", hint };
  expect(await fetched).toMatchObject({ ok: false, error });
  expect(connections).toBe(1);
  silent.close();
});

test("fetches what a branch no longer reaches, as long as the repository has it", async () => {
  const lost = work.commit({ "a.txt": "lost" });
  work.commit({ "a.txt": "4" });
  work.git("reset", "--quiet", "--hard", "HEAD~2");
  expect(await gitFetch.build(context, { source, commit: lost }, testJob())).toMatchObject({ ok: true });
});

test("a commit that is not there is gone; a name that is none is refused before git sees it", async () => {
  for (const commit of ["0123456789012345678901234567890123456789", "main", "--upload-pack=x", "ABC"]) {
    const answer = await gitFetch.build(context, { source, commit }, testJob());
    expect(answer).toMatchObject({ ok: false, error: { code: "COMMIT_GONE", class: "failed" } });
  }
});

test("a repository that cannot be reached is transient", async () => {
  const commit = work.git("rev-parse", "HEAD");
  const answer = await gitFetch.build(context, { source: { url: "/nonexistent/x.git" }, commit }, testJob());
  expect(answer).toMatchObject({ ok: false, error: { code: "REPO_UNREACHABLE", class: "transient" } });
});

test.each<[string, (dir: string) => void]>([
  ["no HEAD", (dir) => rmSync(join(dir, "HEAD"))],
  ["no objects", (dir) => rmSync(join(dir, "objects"), { recursive: true })],
  ["cut objects", (dir) => cutFiles(join(dir, "objects"))],
  ["rubbish as configuration", (dir) => writeFileSync(join(dir, "config"), "[[[")],
  ["rubbish as branches", (dir) => writeFileSync(join(dir, "packed-refs"), "rubbish\n")],
])("a cache with %s is mended", async (_, harm) => {
  const first = work.commit({ "a.txt": `${Math.random()}` });
  await gitFetch.build(createGit(state, createClock()), { source, commit: first }, testJob());
  harm(cacheDir(context, source));
  const commit = work.commit({ "a.txt": `${Math.random()}` });
  const fresh = createGit(state, createClock());
  expect(await gitFetch.build(fresh, { source, commit: first }, testJob())).toMatchObject({ ok: true });
  expect(await gitFetch.build(fresh, { source, commit }, testJob())).toMatchObject({ ok: true });
});

test("a lock that a killed git left is in nobody's way", async () => {
  const commit = work.commit({ locked: `${Math.random()}` });
  const lock = join(cacheDir(context, source), "refs/commits", `${commit}.lock`);
  writeFileSync(lock, "");
  const fresh = createGit(state, createClock());
  expect(await gitFetch.build(fresh, { source, commit }, testJob())).toMatchObject({ ok: true });
});

test("two fetches of one repository at the same time", async () => {
  const commits = [work.commit({ b: "1" }), work.commit({ b: "2" }), work.commit({ b: "3" })];
  const jobs = commits.map((commit) => gitFetch.build(context, { source, commit }, testJob()));
  for (const answer of await Promise.all(jobs)) expect(answer).toMatchObject({ ok: true });
});

test("no hook, neither of the source nor of the cache, is run", async () => {
  const mark = join(state, "hooked");
  const hook = `#!/bin/sh\ntouch ${mark}\n`;
  const hooks = ["post-checkout", "reference-transaction", "pre-auto-gc"];
  for (const name of hooks) writeFileSync(join(work.dir, ".git/hooks", name), hook, { mode: 0o755 });
  const commit = work.commit({ hooked: `${Math.random()}` });
  rmSync(mark, { force: true });
  const cache = join(cacheDir(context, source), "hooks");
  mkdirSync(cache);
  for (const name of hooks) writeFileSync(join(cache, name), hook, { mode: 0o755 });
  expect(await gitFetch.build(context, { source, commit }, testJob())).toMatchObject({ ok: true });
  for (const name of hooks) rmSync(join(work.dir, ".git/hooks", name));
  expect(existsSync(mark)).toBe(false);
});

test("the key is the repository and the commit", () => {
  expect(gitFetch.key({ source: { url: "/a" }, commit: "c" })).toEqual({ url: "/a", commit: "c" });
  expect(gitFetch.inputs({ source: { url: "https://u:pw@h/x" }, commit: "c" })).not.toContain("pw");
});

function cutFiles(dir: string): void {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    rmSync(path);
    writeFileSync(path, "x");
    truncateSync(path, 1);
  }
}
