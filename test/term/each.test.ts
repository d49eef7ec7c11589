import { describe, expect, it } from "vitest";
import { Collection, Variable } from "../../src/incr/index.ts";
import { map } from "../../src/term/combinators.ts";
import { collection, each, option } from "../../src/term/each.ts";
import { active, type Failure, failed, type Output, ok } from "../../src/term/output.ts";
import { Term } from "../../src/term/term.ts";
import { World } from "../../src/term/world.ts";

const trouble = (message: string): Failure => ({ code: "REPO_UNREACHABLE", message, class: "transient" });

/** Branches, each with a part that the test can make fail. */
function branches(...first: readonly (readonly [string, string])[]) {
  const world = new World();
  const { term, variable } = collection(world, Collection.of(first));
  const said: string[] = [];
  const parts = new Map<string, Variable<Output<string>>>();
  const result = each(term, (key, item) => {
    said.push(`made ${key}`);
    world.graph.scope.onRelease(() => said.push(`released ${key}`));
    const part = new Variable<Output<string>>(world.graph, ok(""));
    parts.set(key, part);
    map(item, (commit) => `${key} ${commit}`, { box: { key: `built/${key}`, label: key, kind: "build" } });
    return new Term(world, { node: part, inputs: item });
  });
  world.graph.propagate();
  const set = (output: Output<Collection<string>>): void => {
    variable.set(output);
    world.graph.propagate();
  };
  const setPart = (key: string, output: Output<string>): void => {
    parts.get(key)?.set(output);
    world.graph.propagate();
  };
  return { world, result, said, set, setPart, now: () => variable.latest };
}

describe("each", () => {
  it("keeps what stays, makes what comes, releases what goes", () => {
    const { set, said, world } = branches(["main", "1"], ["live", "1"]);
    set(
      ok(
        Collection.of([
          ["live", "2"],
          ["next", "1"],
        ]),
      ),
    );
    expect(said).toEqual(["made main", "made live", "made next", "released main"]);
    expect([...world.terms.keys()]).toEqual(["built/live", "built/next"]);
    expect(world.terms.get("built/live")?.output).toEqual(ok("live 2"));
  });

  it.each<readonly [string, Output<never>]>([
    ["fails", failed(trouble("no answer"), "heads")],
    ["is on its way", active("running", "heads")],
  ])("keeps every part while the collection itself %s: that is not 'no branches'", (_what, output) => {
    const { set, said, result, now, world } = branches(["main", "1"]);
    const before = now();
    set(output);
    expect(result.output).toBe(output);
    expect(world.terms.has("built/main")).toBe(true);
    set(before);
    expect(said).toEqual(["made main"]);
    expect(result.output.state).toBe("ok");
  });

  it("kills nothing that leaves and comes back in one step", () => {
    const { set, said, now } = branches(["main", "1"]);
    const output = now();
    if (output.state !== "ok") throw new Error("not ok");
    set(ok(output.value.without("main").with("main", "2")));
    expect(said).toEqual(["made main"]);
  });

  it("shows a failed part, and of several the first by key, whatever came first", () => {
    const { setPart, result } = branches(["b", "1"], ["a", "1"]);
    setPart("b", failed(trouble("no answer"), "b"));
    expect(result.output).toEqual(failed(trouble("no answer"), "b"));
    setPart("a", failed(trouble("no answer"), "a"));
    expect(result.output).toEqual(failed(trouble("a, b failed: no answer"), "a"));
    setPart("a", active("running", "a"));
    setPart("b", ok("done"));
    expect(result.output).toEqual(active("running", "a"));
  });

  it("forgets the trouble of a part that is gone", () => {
    const { set, setPart, result } = branches(["main", "1"]);
    setPart("main", failed(trouble("no answer"), "main"));
    set(ok(Collection.of([])));
    expect(result.output).toMatchObject({ state: "ok" });
  });

  it("is as good inside of itself", () => {
    const world = new World();
    const { term, variable } = collection(world, Collection.of([["web", Collection.of([["main", 1]])]]));
    const said: string[] = [];
    each(term, (repo, heads) =>
      each(heads, (branch, commit) => {
        said.push(`${repo} ${branch}`);
        world.graph.scope.onRelease(() => said.push(`released ${repo} ${branch}`));
        return commit;
      }),
    );
    world.graph.propagate();
    variable.set(ok(Collection.of([["web", Collection.of([["next", 1]])]])));
    world.graph.propagate();
    variable.set(ok(Collection.of([])));
    world.graph.propagate();
    expect(said).toEqual(["web main", "web next", "released web main", "released web next"]);
  });
});

describe("option", () => {
  it("has a sub-graph while there is a value", () => {
    const world = new World();
    const value = new Variable<Output<string | undefined>>(world.graph, ok(undefined));
    const said: string[] = [];
    const result = option(new Term(world, { node: value }), (present) => {
      said.push("made");
      world.graph.scope.onRelease(() => said.push("released"));
      return map(present, (text) => text.toUpperCase());
    });
    const shows = (output: Output<string | undefined>): Output<string | undefined> => {
      value.set(output);
      world.graph.propagate();
      return result.output;
    };
    expect(shows(ok(undefined))).toEqual(ok(undefined));
    expect(shows(ok("a"))).toEqual(ok("A"));
    expect(shows(ok("b"))).toEqual(ok("B"));
    expect(shows(failed(trouble("x"), "in"))).toEqual(failed(trouble("x"), "in"));
    expect(shows(ok(undefined))).toEqual(ok(undefined));
    expect(said).toEqual(["made", "released"]);
  });
});
