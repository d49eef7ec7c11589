// A repository on GitHub as an input: the real client, the real monitor in virtual time, a strict GitHub on this machine.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Subject } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import type { Hint } from "../../src/engine/inbound.ts";
import { watchGitHub } from "../../src/pipeline/github.ts";
import type { Watched, WatchPorts } from "../../src/pipeline/watched.ts";
import { createGit, readDates } from "../../src/plugins/git/index.ts";
import { success } from "../../src/term/output.ts";
import { createRig, type FakeGitHub, type Rig } from "../../src/testing/index.ts";
import { box } from "../engine/cache/support.ts";
import { clientOf, closeStrictly, startFake } from "../support/github.ts";

let fake: FakeGitHub;
beforeEach(async () => {
  fake = await startFake("acme/shop");
});
afterEach(() => closeStrictly(fake));

type ReadDates = NonNullable<WatchPorts["heads"]["dates"]>;

function watch(rig: Rig = createRig(), dates?: ReadDates, clock = createClock()) {
  const hints = new Subject<Hint>();
  const github = clientOf(fake, { clock });
  const heads: WatchPorts["heads"] = {
    read: async () => success(new Map([["main", "by git"]])),
    watch: () => () => {},
    ...(dates === undefined ? {} : { dates }),
  };
  const unannounced: number[] = [];
  const forge = { github, hints: { changes: hints, unannounced: () => void unannounced.push(rig.clock.now()) } };
  const ports: WatchPorts = { engine: rig.engine, heads, forge };
  const watched = watchGitHub(ports, "acme/shop", box("heads"), { dates: dates !== undefined });
  const causes: string[] = [];
  rig.engine.steps.subscribe(
    ({ events }) => void causes.push(...events.map(({ kind, detail }) => `${kind}: ${detail}`)),
  );
  rig.engine.change(undefined, () => {});
  return { rig, hints, watched, causes, unannounced };
}

const headsOf = ({ heads }: Watched): unknown =>
  heads.output.state === "ok" ? Object.fromEntries(heads.output.value) : heads.output.state;

const soon = (look: () => void): Promise<void> => vi.waitFor(look, { timeout: 10_000 });

const reads = (): number => fake.requests.filter(({ path }) => path.endsWith("/branches")).length;

describe("a repository on GitHub", () => {
  it("tells how old each branch is, by git: no request of the API is spent on it, and it is asked once", async () => {
    const state = mkdtempSync(join(tmpdir(), "millrace-dates-"));
    onTestFinished(() => rmSync(state, { recursive: true, force: true }));
    const git = createGit(state, createClock());
    fake.repository("acme/shop").private = true;
    for (const name of ["idea", "live"]) fake.push("acme/shop", name, { "a.txt": name });
    const asked: number[] = [];
    const first = watch(createRig(), (source, commits, signal) => {
      asked.push(commits.length);
      return readDates(git, source, commits, signal);
    });
    const agesOf = ({ refs }: Watched): readonly boolean[] =>
      refs?.output.state !== "ok"
        ? []
        : [...refs.output.value.branches.values()].map(({ committedMs }) => Number(committedMs) > Date.UTC(2020));
    await soon(() => expect(agesOf(first.watched)).toEqual([true, true, true]));
    fake.push("acme/shop", "late", { "a.txt": "late" });
    await first.watched.monitor.refresh();
    const again = watch(await first.rig.restart(), () => Promise.reject(new Error("asked again")));
    await again.watched.monitor.refresh();
    expect(agesOf(again.watched)).toEqual([true, true, true, true]);
    expect(asked).toEqual([3, 1]);
    expect(fake.requests.filter(({ path }) => path.includes("/commits"))).toEqual([]);
  });

  it("shows its branches, and its pull requests besides", async () => {
    fake.openPull("acme/shop", { by: "ann", files: { "b.txt": "1" }, branch: "idea" });
    const { watched } = watch();
    await soon(() => expect(Object.keys(headsOf(watched) ?? {})).toEqual(["idea", "main"]));
    const refs = watched.refs?.output;
    expect(refs?.state === "ok" ? [...refs.value.pulls.keys()] : refs?.state).toEqual([1]);
  });

  it("is read again when a webhook tells of it, whatever it is called there, and for no other", async () => {
    const { hints, watched, causes, rig } = watch();
    await soon(() => expect(headsOf(watched)).toHaveProperty("main"));
    const { id } = fake.repository("acme/shop");
    hints.next({ kind: "refs", repository: 1, name: "acme/other" });
    hints.next({ kind: "comment", repository: id, pull: 1, comment: 1, author: { id: 1, login: "x" }, body: "" });
    expect(reads()).toBe(1);
    const commit = fake.push("acme/shop", "live", { "a.txt": "1" });
    hints.next({ kind: "refs", repository: id, name: "acme/renamed" });
    await soon(() => expect(headsOf(watched)).toMatchObject({ live: commit }));
    expect(causes.at(-1)).toBe(`webhook: live none → ${commit.slice(0, 8)}`);
    await rig.clock.advance(2_000);
  });

  it("that moves without a webhook is seen all the same, and known not to have been told of", async () => {
    const { hints, watched, rig, unannounced } = watch();
    await soon(() => expect(headsOf(watched)).toHaveProperty("main"));
    const told = fake.push("acme/shop", "told", { "a.txt": "1" });
    hints.next({ kind: "refs", repository: fake.repository("acme/shop").id, name: "acme/shop" });
    await soon(() => expect(headsOf(watched)).toMatchObject({ told }));
    expect(unannounced).toEqual([]);
    const silent = fake.push("acme/shop", "silent", { "a.txt": "2" });
    await rig.clock.advance(70_000);
    await soon(() => expect(headsOf(watched)).toMatchObject({ silent }));
    expect(unannounced).toHaveLength(1);
  });

  it("is read at most once in two seconds, however many webhooks come", async () => {
    const { hints, watched, rig } = watch();
    await soon(() => expect(headsOf(watched)).toHaveProperty("main"));
    const { id } = fake.repository("acme/shop");
    for (let count = 0; count < 10; count += 1) {
      hints.next({ kind: "refs", repository: id, name: "acme/shop" });
      await rig.clock.advance(100);
      await soon(() => expect(watched.monitor.reading).toBe(false));
    }
    expect(reads()).toBe(2); // at the start, and for the first of them
    await rig.clock.advance(1_000);
    await soon(() => expect(reads()).toBe(3));
  });

  it("is read at most once a minute, beside its sweeps, however often somebody installs the app", async () => {
    const { hints, watched, rig } = watch();
    await soon(() => expect(headsOf(watched)).toHaveProperty("main"));
    for (let count = 0; count < 50; count += 1) {
      hints.next({ kind: "installations" });
      await rig.clock.advance(1_000);
      await soon(() => expect(watched.monitor.reading).toBe(false));
    }
    expect(reads()).toBe(2); // at the start, and for the first of them
  });

  it("keeps what it saw while GitHub is away, and is not deployed from then", async () => {
    const { watched } = watch();
    await soon(() => expect(headsOf(watched)).toHaveProperty("main"));
    fake.mishap({ mishap: { does: "status", status: 503 }, times: 99 });
    expect(await watched.monitor.refresh()).toMatchObject({ ok: false, error: { code: "FORGE_UNREACHABLE" } });
    expect(headsOf(watched)).toHaveProperty("main");
    expect(watched.refs?.metadata.staleSinceMs).toBeGreaterThan(0);
  });

  it("is deployed from while its pull requests are out of reach; these stay, and it says so until they are back", async () => {
    fake.openPull("acme/shop", { by: "ann", files: { "b.txt": "1" }, branch: "idea" });
    const first = watch();
    await soon(() => expect(headsOf(first.watched)).toHaveProperty("main"));
    await first.rig.engine.store.flush();
    first.rig.kill();
    fake.mishap({ mishap: { does: "status", status: 503 }, on: "GET /repos/{owner}/{repo}/pulls", times: 99 });
    const commit = fake.push("acme/shop", "live", { "a.txt": "1" });
    const { watched, rig } = watch(await first.rig.restart());
    const refs = watched.refs;
    expect(await watched.monitor.refresh()).toMatchObject({ ok: true });
    expect(headsOf(watched)).toMatchObject({ live: commit });
    expect(refs?.output.state === "ok" ? [...refs.output.value.pulls.keys()] : refs?.output.state).toEqual([1]);
    expect(refs?.metadata.detail).toContain("503");
    const staleSinceMs = refs?.metadata.staleSinceMs;
    await rig.clock.advance(66_000);
    await soon(() => expect(watched.monitor.reading).toBe(false));
    expect(staleSinceMs).toBeGreaterThan(0);
    expect(refs?.metadata.staleSinceMs).toBe(staleSinceMs);
    fake.heal();
    await watched.monitor.refresh();
    expect(refs?.metadata).toEqual({});
  });

  it.each(["pull requests", "dates"])(
    "is deployed from within seconds while nobody answers about its %s, also when it is being read; these come later",
    async (what) => {
      const rig = createRig();
      const pulls = "GET /repos/{owner}/{repo}/pulls";
      const waiting: (() => void)[] = [];
      let hangs = false;
      const dates: ReadDates = async (_, commits) => {
        if (hangs && what === "dates") await new Promise<void>((resolve) => waiting.push(resolve));
        return success(new Map(commits.map((commit) => [commit, 7])));
      };
      const { watched } = watch(rig, dates, rig.clock);
      const { scheduler } = rig.clock;
      const isPatient = (): boolean => scheduler.actions.some(({ delay }) => delay === scheduler.frame + 3_000);
      await soon(() => expect(headsOf(watched)).toHaveProperty("main"));
      await soon(() => expect(watched.monitor.reading).toBe(false));
      if (what === "pull requests") fake.mishap({ mishap: { does: "hang" }, on: pulls, times: 99 });
      hangs = true;
      const [startMs, before] = [rig.clock.now(), reads()];
      const commit = fake.push("acme/shop", "main", { "a.txt": "1" });
      let fresh: unknown;
      void watched.monitor.refresh();
      void watched.monitor.refresh().then((read) => {
        fresh = read;
      });
      // Both reads, that which was under way and that which is asked for, wait for so long and no longer.
      for (const read of [1, 2]) {
        await soon(() => expect([reads(), isPatient()]).toEqual([before + read, true]));
        expect(fresh).toBeUndefined();
        await rig.clock.advance(3_000);
      }
      await soon(() => expect(fresh).toMatchObject({ ok: true, value: { outdated: { code: "FORGE_UNREACHABLE" } } }));
      expect(rig.clock.now() - startMs).toBeLessThanOrEqual(6_000);
      expect(headsOf(watched)).toMatchObject({ main: commit });
      expect(watched.refs?.metadata.detail).toContain("nothing waits for them");
      fake.heal();
      hangs = false;
      for (const answer of waiting) answer();
      await vi.waitFor(
        async () => {
          await rig.clock.advance(1_000);
          expect(watched.refs?.metadata).toEqual({});
        },
        { timeout: 10_000 },
      );
    },
  );

  it("that was never read tells all its dates first, for as long as a minute: old branches are not fetched each", async () => {
    const rig = createRig();
    const { scheduler } = rig.clock;
    const { watched } = watch(rig, () => new Promise(() => {}), rig.clock);
    const isPatient = (ms: number): boolean => scheduler.actions.some(({ delay }) => delay === scheduler.frame + ms);
    await soon(() => expect(isPatient(60_000)).toBe(true));
    await rig.clock.advance(59_000);
    expect(headsOf(watched)).toBe("active");
    await rig.clock.advance(1_000);
    await soon(() => expect(headsOf(watched)).toHaveProperty("main"));
  });

  it("is seen within a minute and a bit of a push, although every webhook is lost", async () => {
    const { watched, rig } = watch();
    await soon(() => expect(headsOf(watched)).toHaveProperty("main"));
    for (let minute = 0; minute < 10; minute += 1) {
      const commit = fake.push("acme/shop", "live", { "a.txt": String(minute) });
      await rig.clock.advance(66_000);
      await soon(() => expect(headsOf(watched)).toMatchObject({ live: commit }));
    }
  });

  it("takes nothing away while GitHub is down for an hour, and is seen again within five minutes", async () => {
    const { watched, rig } = watch();
    await soon(() => expect(headsOf(watched)).toHaveProperty("main"));
    const told: string[] = [];
    rig.engine.steps.subscribe(() => void told.push(watched.heads.output.state));
    fake.mishap({ mishap: { does: "status", status: 502 }, times: Number.POSITIVE_INFINITY });
    for (let minutes = 0; minutes < 60; minutes += 6) {
      await rig.clock.advance(6 * 60_000);
      await soon(() => expect(watched.monitor.reading).toBe(false));
    }
    const commit = fake.push("acme/shop", "main", { "a.txt": "1" });
    fake.heal();
    await rig.clock.advance(5 * 60_000);
    await soon(() => expect(headsOf(watched)).toMatchObject({ main: commit }));
    expect(new Set(told)).toEqual(new Set(["ok"]));
  }, 30_000);

  it("is known by its number after a restart too: another one under its name is held", async () => {
    const first = watch();
    await soon(() => expect(headsOf(first.watched)).toHaveProperty("main"));
    await first.rig.engine.store.flush();
    first.rig.kill();
    fake.deleteRepo("acme/shop");
    fake.repo("acme/shop", { files: { "evil.txt": "1" } });
    const { watched } = watch(await first.rig.restart());
    expect(await watched.monitor.refresh()).toMatchObject({ ok: false, error: { code: "REPO_REPLACED" } });
    expect(watched.refs?.metadata.detail).toContain("another repository");
    expect(await watched.accept?.()).toMatchObject({ ok: true });
    expect(headsOf(watched)).toEqual(Object.fromEntries(fake.repository("acme/shop").heads.branches));
  });

  it("has a branch that is called like one of its pull requests, and each of them moves", async () => {
    fake.openPull("acme/shop", { by: "ann", files: { "b.txt": "1" }, branch: "idea" });
    fake.push("acme/shop", "#1", { "a.txt": "1" });
    const { watched } = watch();
    await soon(() => expect(headsOf(watched)).toHaveProperty("#1"));
    const commit = fake.push("acme/shop", "#1", { "a.txt": "2" });
    expect(await watched.monitor.refresh()).toMatchObject({ ok: true });
    expect(headsOf(watched)).toMatchObject({ "#1": commit });
  });

  it("is read by git where there is no app", async () => {
    const { rig } = watch();
    const heads: WatchPorts["heads"] = {
      read: async ({ url }) => success(new Map([["main", url]])),
      watch: () => () => {},
    };
    const anonymous = watchGitHub({ engine: rig.engine, heads }, "acme/shop", box("public"));
    expect(await anonymous.monitor.refresh()).toMatchObject({ ok: true });
    expect(headsOf(anonymous)).toEqual({ main: "https://github.com/acme/shop.git" });
    expect(anonymous.refs).toBeUndefined();
  });
});
