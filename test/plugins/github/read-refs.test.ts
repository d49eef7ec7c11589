// What comes later than a read has time for, in virtual time; test/pipeline/slow-pulls.test.ts has what follows from it.
import { expect, it } from "vitest";
import type { Refs } from "../../../src/engine/refs.ts";
import type { RefsOptions } from "../../../src/plugins/github/api.ts";
import type { Ask } from "../../../src/plugins/github/pages.ts";
import { RefsReader } from "../../../src/plugins/github/read-refs.ts";
import { type Result, success } from "../../../src/term/output.ts";
import { TestClock } from "../../../src/testing/index.ts";

const REPO = "acme/shop";
const COMMIT = "a".repeat(40);
const LIST_MS = 4_000;
const signal = new AbortController().signal;

/** A repository with one pull request, which GitHub needs longer to list than a read has time for. */
function scene() {
  const clock = new TestClock();
  const reader = new RefsReader(new URL("https://api.github.example"), REPO);
  const at = { id: 5, commit: COMMIT, listMs: LIST_MS };
  const ask: Ask = async (what) => {
    if (what.includes("/branches"))
      return success({ status: 200, data: [{ name: "main", commit: { sha: at.commit } }] });
    if (!what.includes("/pulls"))
      return success({ status: 200, data: { id: at.id, full_name: REPO, default_branch: "main" } });
    const head = { sha: COMMIT, ref: "idea", repo: { id: at.id, full_name: REPO } };
    const data = [{ number: 7, head, base: { ref: "main" }, user: { id: 1, login: "ann" } }];
    if (at.listMs > 0) await clock.sleep(at.listMs);
    return success({ status: 200, data });
  };
  const read = async (options: RefsOptions = {}): Promise<Refs> => {
    let answer: Result<Refs> | undefined;
    void reader.read(() => ask, options, clock, signal).then((told) => (answer = told));
    const told = await clock.until(() => answer);
    if (!told.ok) throw new Error(told.error.message);
    return told.value;
  };
  return { clock, at, read };
}

it("a list of pull requests that came too late is what the next read shows, and says that it may be outdated", async () => {
  const { clock, read } = scene();
  const first = await read();
  expect([[...first.pulls.keys()], first.pullsOutdated?.class]).toEqual([[], "transient"]);
  await clock.advance(LIST_MS);
  const second = await read({ pulls: first.pulls });
  expect([[...second.pulls.keys()], second.pullsOutdated?.class]).toEqual([[7], "transient"]);
  expect(second.outdated).toEqual(second.pullsOutdated);
});

it("a list that came too late is not taken for that of another repository of the same name", async () => {
  const { clock, at, read } = scene();
  await read();
  await clock.advance(LIST_MS);
  at.id = 6;
  expect([...(await read()).pulls.keys()]).toEqual([]);
});

it("dates that came too late are shown, and those of newer commits are looked for soon", async () => {
  const { clock, at, read } = scene();
  at.listMs = 0;
  const asked: (readonly string[])[] = [];
  const dates = {
    known: new Map(),
    read: async (commits: readonly string[]) => {
      asked.push(commits);
      await clock.sleep(5_000);
      return success(new Map(commits.map((commit) => [commit, 9])));
    },
  };
  const pulls = new Map();
  const ageOf = ({ branches }: Refs): unknown => branches.get("main")?.committedMs;
  expect(ageOf(await read({ dates, pulls }))).toBeUndefined();
  await clock.advance(1_000);
  at.commit = "b".repeat(40);
  const second = await read({ dates, pulls });
  expect([ageOf(second), second.outdated?.class]).toEqual([undefined, "transient"]);
  await clock.advance(5_000);
  expect(ageOf(await read({ dates, pulls }))).toBe(9);
  expect(asked).toEqual([[COMMIT], ["b".repeat(40)]]);
});
