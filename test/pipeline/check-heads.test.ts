import { describe, expect, it } from "vitest";
import type { PullRef, Refs } from "../../src/engine/refs.ts";
import { headsTerm, headsToCheck } from "../../src/pipeline/check-heads.ts";
import { createRig, dummyInput } from "../../src/testing/index.ts";
import { box } from "../engine/cache/support.ts";

const ALICE = { id: 1, login: "alice" };

function refs(branches: Readonly<Record<string, string>>, pulls: readonly PullRef[] = []): Refs {
  return {
    id: 7,
    name: "acme/web",
    defaultBranch: "main",
    branches: new Map(Object.entries(branches).map(([name, commit]) => [name, { commit }])),
    pulls: new Map(pulls.map((pull) => [pull.number, pull])),
  };
}

const pull = (number: number, commit: string, fork?: PullRef["fork"]): PullRef => ({
  number,
  commit,
  base: "main",
  branch: "topic",
  author: ALICE,
  ...(fork === undefined ? {} : { fork }),
});

const FORK = { id: 70, name: "alice/web" };
const names = (of: Refs, mapped: readonly string[] = []): readonly string[] =>
  headsToCheck(of, { mapped: new Set(mapped) }).map(({ name, commit }) => `${name} ${commit}`);

describe("the commits to check", () => {
  it("are those of all branches and open pull requests, but of gh-pages", () => {
    const all = refs({ main: "a", "fix/x y": "z", topic: "b", "gh-pages": "c" }, [
      pull(3, "d", FORK),
      pull(2, "e", "gone"),
    ]);
    expect(names(all)).toEqual(["branch:main a", "branch:topic b", "pr:2 e", "pr:3 d"]);
  });

  it("are one each: a deployed branch, the default branch, another branch or a pull request stands for its commit", () => {
    const same = { aaa: "1", live: "1", main: "1", bbb: "2" };
    expect(names(refs(same, [pull(5, "1"), pull(6, "2", FORK)]), ["live"])).toEqual(["branch:live 1", "branch:bbb 2"]);
    expect(names(refs(same))).toEqual(["branch:main 1", "branch:bbb 2"]);
    expect(names(refs({}, [pull(4, "1", FORK), pull(9, "1")]))).toEqual(["pr:9 1"]);
  });

  it("name all that are at a commit, to some number", () => {
    const labels = (of: Refs) => headsToCheck(of, { mapped: new Set() }).map(({ label }) => label);
    expect(labels(refs({ main: "1", topic: "2" }, [pull(5, "2"), pull(6, "3", FORK)]))).toEqual([
      "main",
      "topic, #5",
      "#6",
    ]);
    const many = Object.fromEntries(["main", "a", "b", "c", "d", "e", "f"].map((name) => [name, "1"]));
    expect(labels(refs(many))).toEqual(["main, a, b, c, d, 2 more"]);
  });

  it("do not suffer from one that has no good name", () => {
    expect(names(refs({ "\ud800": "1", "a..b": "2", main: "3" }))).toEqual(["branch:main 3"]);
  });

  it("may be too old only of a branch that is neither deployed nor the default one", () => {
    const all = refs({ main: "a", live: "b", old: "c" }, [pull(3, "d", FORK)]);
    const heads = headsToCheck(all, { mapped: new Set(["live"]) });
    expect(heads.map(({ label, ages }) => `${label} ${ages}`)).toEqual([
      "live false",
      "main false",
      "old true",
      "#3 false",
    ]);
    const dated = new Map(["main", "live", "old", "new"].map((name, at) => [name, { commit: name, committedMs: at }]));
    const young = headsToCheck({ ...all, branches: dated }, { mapped: new Set(["live"]), isOld: (ms) => ms < 3 });
    expect(young.map(({ label }) => label)).toEqual(["live", "main", "new", "#3"]);
  });

  it("keep the same object while nothing of them moved, whatever somebody is called", async () => {
    const rig = createRig();
    const input = dummyInput(rig.engine, box("refs"), refs({ main: "a" }, [pull(3, "d", FORK)]));
    const heads = headsTerm(input.term, { mapped: new Set() });
    const look = async () => {
      await rig.clock.advance(0);
      const { output } = heads;
      return output.state === "ok" ? { output, entries: new Map(output.value.entries) } : undefined;
    };
    const first = await look();
    const renamed = { ...pull(3, "d", FORK), author: { id: 1, login: "alicia" } };
    input.set(refs({ main: "a" }, [renamed]));
    expect((await look())?.output).toBe(first?.output);
    input.set(refs({ main: "b" }, [renamed]));
    const moved = await look();
    expect(moved?.entries.get("pr:3")).toBe(first?.entries.get("pr:3"));
    expect(moved?.entries.get("branch:main")?.commit).toBe("b");
    input.set(refs({ main: "b" }, [{ ...pull(3, "d", { id: 71, name: "alice/web" }) }]));
    expect((await look())?.entries.get("pr:3")).not.toBe(first?.entries.get("pr:3"));
  });
});
