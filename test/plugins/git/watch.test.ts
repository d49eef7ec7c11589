import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { watchHeads } from "../../../src/plugins/git/index.ts";
import { makeBareRepository, makeRepository } from "../../support/git.ts";

const clock = createClock();
const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

function observe(url: string) {
  let calls = 0;
  let wake = (): void => {};
  endings.push(watchHeads({ url }, () => ((calls += 1), wake()), clock));
  return {
    calls: () => calls,
    /** How long after now until the number of calls is larger than `before`. */
    more: async (before: number): Promise<number> => {
      const start = performance.now();
      if (calls > before) return 0;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("no change was noticed within 3 s")), 3_000);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      return performance.now() - start;
    },
    settled: () => new Promise((resolve) => setTimeout(resolve, 200)),
  };
}

test("notices a push to a bare repository at once, also to a branch in new directories", async () => {
  const work = makeRepository({ a: "1" });
  const bare = makeBareRepository();
  endings.push(work.dispose, bare.dispose);
  const seen = observe(bare.dir);
  for (const branch of ["main", "feature/deep/new", "feature/deep/other", "main"]) {
    const before = seen.calls();
    work.commit({ a: branch + Math.random() });
    work.push(bare.dir, branch);
    expect(await seen.more(before)).toBeLessThan(500);
    await seen.settled();
  }
});

test("notices a commit in a working copy, but not its other files", async () => {
  const work = makeRepository({ a: "1" });
  endings.push(work.dispose);
  const seen = observe(work.dir);
  writeFileSync(join(work.dir, "b"), "x");
  work.git("add", "b");
  await seen.settled();
  expect(seen.calls()).toBe(0);
  work.commit({ a: "2" });
  await seen.more(0);
});

test("notices packed branches, a removed branch and a renamed one", async () => {
  const work = makeRepository({ a: "1" });
  endings.push(work.dispose);
  work.git("branch", "old");
  const seen = observe(work.dir);
  for (const args of [
    ["pack-refs", "--all"],
    ["branch", "-m", "old", "new"],
    ["branch", "-D", "new"],
  ]) {
    const before = seen.calls();
    work.git(...args);
    expect(await seen.more(before)).toBeLessThan(500);
    await seen.settled();
  }
});

test("goes on after the repository vanished and came back, and sees one that is made later", async () => {
  const parent = mkdtempSync(join(tmpdir(), "millrace-watch-"));
  endings.push(() => rmSync(parent, { recursive: true }));
  const place = join(parent, "later", "repo.git");
  const seen = observe(place);
  for (const round of [0, 1]) {
    const bare = makeBareRepository();
    let before = seen.calls();
    rmSync(join(parent, "later"), { recursive: true, force: true });
    if (round > 0) await seen.more(before);
    renameParent(bare.dir, place);
    await seen.more(before);
    await seen.settled();
    before = seen.calls();
    const work = makeRepository({ a: "1" });
    endings.push(work.dispose, bare.dispose);
    work.push(place, "main");
    expect(await seen.more(before)).toBeLessThan(500);
    await seen.settled();
  }
});

test("notices a repository that was put in the place of another one", async () => {
  const [one, other] = [makeRepository({ a: "1" }), makeRepository({ a: "2" })];
  endings.push(one.dispose, other.dispose);
  const seen = observe(one.dir);
  renameSync(one.dir, `${one.dir}.old`);
  endings.push(() => rmSync(`${one.dir}.old`, { recursive: true }));
  renameSync(other.dir, one.dir);
  await seen.more(0);
  await seen.settled();
  const before = seen.calls();
  one.commit({ a: "3" });
  expect(await seen.more(before)).toBeLessThan(500);
});

test("a burst becomes few calls", async () => {
  const work = makeRepository({ a: "1" });
  endings.push(work.dispose);
  const seen = observe(work.dir);
  const head = work.git("rev-parse", "HEAD");
  for (let n = 0; n < 60; n++) writeFileSync(join(work.dir, `.git/refs/heads/c${n}`), head);
  await seen.more(0);
  await seen.settled();
  expect(seen.calls()).toBeLessThanOrEqual(4);
});

test("what happens just after a call gets a call of its own, unless it was ended", async () => {
  const work = makeRepository({ a: "1" });
  endings.push(work.dispose);
  const head = work.git("rev-parse", "HEAD");
  const seen = observe(work.dir);
  const write = (name: string) => writeFileSync(join(work.dir, ".git/refs/heads", name), head);
  write("one");
  await seen.more(0);
  write("two");
  await seen.more(1);
  await seen.settled();
  const before = seen.calls();
  write("three");
  await seen.more(before);
  write("four");
  await new Promise((resolve) => setTimeout(resolve, 15));
  const ended = seen.calls();
  for (const end of endings.splice(1)) end();
  write("five");
  await seen.settled();
  expect([before >= 2, seen.calls()]).toEqual([true, ended]);
});

test("does nothing for a repository that is elsewhere", () => {
  expect(() => watchHeads({ url: "https://git.example.org/x" }, () => {}, clock)()).not.toThrow();
});

/** Moves a repository to a place whose parent does not exist yet, in one go. */
function renameParent(from: string, place: string): void {
  const parent = join(place, "..");
  const next = mkdtempSync(join(parent, "..", "next-"));
  renameSync(from, join(next, "repo.git"));
  renameSync(next, parent);
}
