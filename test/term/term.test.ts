import { describe, expect, it } from "vitest";
import { Variable } from "../../src/incr/index.ts";
import {
  all,
  catchFailure,
  constant,
  cutoff,
  failing,
  gate,
  list,
  map,
  mapResult,
  pair,
  primitive,
  state,
} from "../../src/term/combinators.ts";
import { active, type Failure, failed, failure, type Output, ok, seenFrom, success } from "../../src/term/output.ts";
import { type Answer, Term } from "../../src/term/term.ts";
import { World } from "../../src/term/world.ts";

const trouble = (message: string): Failure => ({ code: "BUILD_FAILED", message, class: "failed" });
const box = (key: string) => ({ key, label: key, kind: "value" });

/** A term whose output the test sets. */
function settable<T>(world: World, key: string, first: Output<T>) {
  const node = new Variable<Output<T>>(world.graph, first);
  return { term: new Term(world, { node, box: box(key) }), set: (output: Output<T>) => node.set(output) };
}

/** What a term shows once these are its inputs. */
function shown<T>(make: (world: World, ...inputs: readonly Term<string>[]) => Term<T>, ...outputs: Output<string>[]) {
  const world = new World();
  const term = make(world, ...outputs.map((output, at) => settable(world, `in${at}`, output).term));
  world.graph.propagate();
  return term.output;
}

const bad = failed(trouble("no space"), "in0");
const worse = failed(trouble("no network"), "in1");
const runs = active("running", "in0");
const waits = active("waiting", "in1");

describe("pair", () => {
  it.each<readonly [string, Output<string>, Output<string>, Output<unknown>]>([
    ["a failure of the left first", bad, worse, bad],
    ["a failure of the right over a left that is active", runs, worse, worse],
    ["a failure of the left over a right that is active", bad, waits, bad],
    ["of two that are active the left", runs, waits, runs],
    ["an active right over a left that is ok", ok("a"), waits, waits],
    ["an active left over a right that is ok", runs, ok("b"), runs],
    ["both values", ok("a"), ok("b"), ok(["a", "b"])],
  ])("shows %s", (_what, a, b, expected) => {
    expect(shown((_world, x, y) => pair(need(x), need(y)), a, b)).toEqual(expected);
  });

  it("is the same while both are the same", () => {
    const world = new World();
    const [a, b] = [settable(world, "a", ok("a")), settable(world, "b", ok("b"))];
    let told = 0;
    pair(a.term, b.term).node.watch(() => void (told += 1));
    world.graph.propagate();
    a.set(ok("a"));
    world.graph.propagate();
    expect(told).toBe(1);
  });
});

const need = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("the test gives too few");
  return value;
};

describe("all", () => {
  const three = (world: World, ...terms: readonly Term<string>[]): Term<void> =>
    all(world, { web: need(terms[0]), api: need(terms[1]), docs: need(terms[2]) });
  const a = failed(trouble("no space"), "web");
  const b = failed(trouble("no space"), "api");
  const c = failed(trouble("no network"), "docs");

  it.each<readonly [string, readonly Output<string>[], Output<unknown>]>([
    ["ok when every term is", [ok("1"), ok("2"), ok("3")], ok(undefined)],
    ["what is active, the first given", [ok("1"), waits, runs], waits],
    ["a failure over what is active", [runs, waits, c], c],
    ["two that say the same by name, once", [a, b, runs], failed(trouble("web, api failed: no space"), "web")],
    ["two that differ by name alone", [ok("1"), b, c], failed(trouble("api, docs failed"), "api")],
  ])("shows %s", (_what, outputs, expected) => {
    expect(shown(three, ...outputs)).toEqual(expected);
  });

  it("of nothing is ok", () => {
    const world = new World();
    const none = all(world, {});
    world.graph.propagate();
    expect(none.output).toEqual(ok(undefined));
  });

  it("names at most five, and counts", () => {
    const world = new World();
    const many = Array.from({ length: 8 }, (_none, at) => failing(world, trouble("no space"), box(`t${at}`)));
    const term = all(world, Object.fromEntries(many.map((one) => [one.key, one])));
    world.graph.propagate();
    expect(term.output).toMatchObject({ failure: { message: "t0, t1, t2, t3, t4, … (8) failed: no space" } });
  });

  it("tells the same whatever came first, and tells it once", () => {
    const world = new World();
    const inputs = ["web", "api", "docs"].map((key) => settable<string>(world, key, ok("")));
    const term = all(world, Object.fromEntries(inputs.map((input) => [input.term.key, input.term])));
    let told = 0;
    term.node.watch(() => void (told += 1));
    const set = (at: number, output: Output<string>): Output<void> => {
      inputs[at]?.set(output);
      world.graph.propagate();
      return term.output;
    };
    set(2, ok(""));
    set(1, b);
    expect(set(0, a)).toMatchObject({ origin: "web", failure: { message: "web, api failed: no space" } });
    expect(told).toBe(3);
    set(2, active("running", "docs")); // somebody else moves: nothing new to say
    set(0, failed(trouble("no space"), "web"));
    expect(told).toBe(3);
    expect(set(0, ok(""))).toEqual(b);
    expect(set(1, ok(""))).toEqual(active("running", "docs"));
    expect(set(2, ok(""))).toEqual(ok(undefined));
  });
});

describe("gate", () => {
  it("gives the value once the other is ok, else the state of the other", () => {
    const gated = (_world: World, ...[value, on]: readonly Term<string>[]): Term<string> => gate(need(value), need(on));
    expect(shown(gated, ok("a"), ok("b"))).toEqual(ok("a"));
    expect(shown(gated, ok("a"), waits)).toEqual(waits);
    expect(shown(gated, ok("a"), worse)).toEqual(worse);
    expect(shown(gated, runs, ok("b"))).toEqual(runs);
  });
});

describe("catch", () => {
  it("makes a failure a value, and lets what is active through", () => {
    const caught = (_world: World, ...[term]: readonly Term<string>[]) => catchFailure(need(term));
    expect(shown(caught, ok("a"))).toEqual(ok(success("a")));
    expect(shown(caught, bad)).toEqual(ok(failure(trouble("no space"))));
    expect(shown(caught, runs)).toEqual(runs);
  });
});

describe("state", () => {
  it("is always ok: it never fails and never waits", () => {
    for (const output of [ok("a"), bad, runs])
      expect(shown((_world, term) => state(need(term)), output)).toEqual(ok(output));
  });
});

describe("map", () => {
  it("makes an exception a failure of its own box", () => {
    const world = new World();
    const term = map(
      constant(world, 1),
      () => {
        throw new Error("division by zero");
      },
      { box: box("sum") },
    );
    world.graph.propagate();
    expect(term.output).toEqual(failed({ code: "PROGRAM_FAULT", message: "division by zero", class: "system" }, "sum"));
  });

  it("without a box shows it where it reaches a box: nobody would see it else", () => {
    const world = new World();
    const input = constant(world, 1, box("input"));
    const lost = map(input, () => {
      throw new Error("lost");
    });
    const term = map(lost, () => 2, { box: box("sum") });
    world.graph.propagate();
    expect([seenFrom(input.output, "input"), seenFrom(term.output, "sum")]).toEqual(["ok", "failed"]);
  });

  it("stops at an equal value", () => {
    const world = new World();
    const input = settable<number>(world, "in", ok(1));
    let told = 0;
    cutoff(input.term, (before, after) => before % 2 === after % 2).node.watch(() => void (told += 1));
    world.graph.propagate();
    input.set(ok(3));
    world.graph.propagate();
    expect(told).toBe(1);
    input.set(ok(4));
    world.graph.propagate();
    expect(told).toBe(2);
  });

  it("may refuse a value with a failure of its own", () => {
    const world = new World();
    const term = mapResult(constant(world, 1), box("positive"), () => failure(trouble("too small")));
    world.graph.propagate();
    expect(term.output).toEqual(failed(trouble("too small"), "positive"));
  });
});

describe("list", () => {
  it("gives the values in order", () => {
    const world = new World();
    const term = list(world, [constant(world, 1), constant(world, 2), constant(world, 3)]);
    world.graph.propagate();
    expect(term.output).toEqual(ok([1, 2, 3]));
  });
});

describe("primitive", () => {
  it("runs once for each new value, and releases the one before after the step", () => {
    const world = new World();
    const input = settable<string>(world, "in", ok("a"));
    const said: string[] = [];
    const term = primitive(box("p"), input.term, (value) => {
      said.push(`begin ${value}`);
      world.graph.scope.onRelease(() => said.push(`release ${value}`));
      return new Variable<Answer<string>>(world.graph, { output: ok(value), metadata: {} });
    });
    world.graph.propagate();
    input.set(ok("b"));
    world.graph.propagate();
    input.set(ok("b"));
    world.graph.propagate();
    input.set(bad);
    world.graph.propagate();
    expect(said).toEqual(["begin a", "begin b", "release a", "release b"]);
    expect(term.output).toBe(bad);
  });
});

describe("a term in a text", () => {
  it("explains itself", () => {
    const world = new World();
    const term: unknown = constant(world, "1a2b", box("acme/web/head"));
    expect(() => `commit ${String(term)}`).toThrow(/the term acme\/web\/head has no text yet.*Use map\(term/);
  });
});

describe("how a term is shown", () => {
  it.each<readonly [Output<unknown>, string]>([
    [ok(1), "ok"],
    [active("waiting", "me"), "waiting"],
    [active("running", "other"), "blocked"],
    [failed(trouble("x"), "me"), "failed"],
    [failed(trouble("x"), "other"), "blocked"],
  ])("%j as %s", (output, expected) => {
    expect(seenFrom(output, "me")).toBe(expected);
  });
});
