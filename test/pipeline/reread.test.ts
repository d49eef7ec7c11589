// What is read anew before anybody is told that there is nothing: the real client, a strict GitHub on this machine.
import { NEVER } from "rxjs";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { problem } from "../../src/engine/errors.ts";
import { fromObservable } from "../../src/engine/monitor.ts";
import type { Refs } from "../../src/engine/refs.ts";
import { watchGitHub } from "../../src/pipeline/github.ts";
import { type Followed, rereading } from "../../src/pipeline/reread.ts";
import type { RepoName } from "../../src/pipeline/types.ts";
import type { WatchPorts } from "../../src/pipeline/watched.ts";
import { failure, success } from "../../src/term/output.ts";
import { createRig, type FakeGitHub } from "../../src/testing/index.ts";
import { box } from "../engine/cache/support.ts";
import { clientOf, closeStrictly, startFake } from "../support/github.ts";

const REPO = "acme/shop";
const FOREIGN = 987_654;

let fake: FakeGitHub;
beforeEach(async () => {
  fake = await startFake(REPO);
});
afterEach(() => closeStrictly(fake));

/** What is followed, after each was read once. */
async function follow(...repos: readonly RepoName[]) {
  const rig = createRig();
  const github = clientOf(fake);
  const heads: WatchPorts["heads"] = {
    read: async () => success(new Map()),
    watch: () => () => {},
    dates: async () => failure(problem("REPO_UNREACHABLE", "git does not answer")),
  };
  const followed = repos.map((repo): Followed & { readonly isRead: () => boolean } => {
    const { refs, reread, monitor } = watchGitHub({ engine: rig.engine, heads, forge: { github } }, repo, box(repo), {
      dates: true,
    });
    if (refs === undefined || reread === undefined) throw new Error("no pull requests");
    return { repo, refs, reread, isRead: () => refs.output.state !== "active" && !monitor.reading };
  });
  rig.engine.change(undefined, () => {});
  await rig.clock.settle();
  await vi.waitUntil(() => followed.every(({ isRead }) => isRead()), { timeout: 10_000 });
  return rereading(followed);
}

const away = (on: string): void => fake.mishap({ mishap: { does: "status", status: 503 }, on, times: 999 });

it("waits for pull requests that will come, not for the dates of commits", async () => {
  const reread = await follow(REPO);
  const { id } = fake.repository(REPO);
  expect(reread.nameOf(id)).toBe(REPO);
  expect(await reread.read(id)).toEqual({ ok: true });
  away("GET /repos/{owner}/{repo}/pulls");
  expect(await reread.read(id)).toMatchObject({ ok: false, error: { code: "FORGE_UNREACHABLE", class: "transient" } });
  fake.heal();
  expect(await reread.read(id)).toEqual({ ok: true });
});

it("waits for no pull requests that the app may not read at all", async () => {
  fake.repo("bare/one");
  fake.install("bare", { permissions: { metadata: "read", contents: "read" } });
  const reread = await follow("bare/one");
  expect(await reread.read(fake.repository("bare/one").id)).toEqual({ ok: true });
});

it("what comes from elsewhere waits for no repository that the app is not let in to", async () => {
  const reread = await follow(REPO, "gone/one");
  expect(await reread.read(FOREIGN)).toEqual({ ok: true });
});

it("what comes from elsewhere waits for one that GitHub does not tell us of at the moment", async () => {
  away("GET /repos/{owner}/{repo}");
  const reread = await follow(REPO);
  expect(await reread.read(FOREIGN)).toMatchObject({ ok: false, error: { class: "transient" } });
});

it("what comes before anything was read waits: it may be about any of them", async () => {
  const { engine, clock } = createRig();
  const refs = fromObservable<Refs>(engine, box("heads"), NEVER);
  engine.change(undefined, () => {});
  await clock.settle();
  const found = rereading([
    { repo: REPO, refs, reread: () => Promise.reject(new Error("nobody knows that it is this one")) },
  ]);
  expect(await found.read(FOREIGN)).toMatchObject({ ok: false, error: { code: "INTERRUPTED", class: "transient" } });
});
