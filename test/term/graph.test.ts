import { describe, expect, it } from "vitest";
import { Collection } from "../../src/incr/index.ts";
import { constant, failing, gate, map, pair, state } from "../../src/term/combinators.ts";
import { collection, each } from "../../src/term/each.ts";
import { edgesOf } from "../../src/term/graph.ts";
import { ok } from "../../src/term/output.ts";
import { Term } from "../../src/term/term.ts";
import { World } from "../../src/term/world.ts";
import { createRig, graphText } from "../../src/testing/index.ts";

const box = (key: string) => ({ key, label: key, kind: "value" });
const drawn = (world: World): readonly string[] =>
  edgesOf(world).map(({ from, to, dashed }) => `${from} ${dashed ? "-->" : "->"} ${to}`);
const boxed = <T>(term: Term<T>, key: string): Term<T> => map(term, (value) => value, { box: box(key) });

describe("the edges between boxes", () => {
  it("go through what has no box", () => {
    const world = new World();
    const [a, b] = [constant(world, 1, box("a")), constant(world, 2, box("b"))];
    boxed(
      map(
        pair(
          map(a, (x) => x),
          b,
        ),
        ([x]) => x,
      ),
      "sum",
    );
    expect(drawn(world)).toEqual(["a -> sum", "b -> sum"]);
  });

  it("leave out what a longer way implies", () => {
    const world = new World();
    const head = constant(world, 1, box("head"));
    const fetched = boxed(head, "fetch");
    const built = boxed(
      map(pair(fetched, head), ([x]) => x),
      "build",
    );
    boxed(
      map(pair(built, pair(head, fetched)), ([x]) => x),
      "deploy",
    );
    expect(drawn(world)).toEqual(["head -> fetch", "fetch -> build", "build -> deploy"]);
  });

  it("are dashed where a box only waits, unless it takes the value too", () => {
    const world = new World();
    const [image, tag] = [constant(world, 1, box("image")), constant(world, 1, box("tag"))];
    boxed(gate(image, tag), "service");
    boxed(pair(gate(image, tag), tag), "both");
    boxed(
      gate(
        image,
        map(tag, (x) => x),
      ),
      "through a map",
    );
    expect(drawn(world)).toEqual([
      "image -> service",
      "tag --> service",
      "image -> both",
      "tag -> both",
      "image -> through a map",
      "tag --> through a map",
    ]);
  });

  it("are the same after the same changes, and come and go with each", () => {
    const world = new World();
    const { term, variable } = collection(world, Collection.of([["main", 1]]));
    const heads = boxed(term, "heads");
    each(heads, (key, commit) => boxed(commit, `build ${key}`));
    world.graph.propagate();
    const first = drawn(world);
    const structure = world.structure;
    variable.set(
      ok(
        Collection.of([
          ["main", 2],
          ["next", 1],
        ]),
      ),
    );
    world.graph.propagate();
    expect(drawn(world)).toEqual(["heads -> build main", "heads -> build next"]);
    expect(world.structure).toBeGreaterThan(structure);
    variable.set(ok(Collection.of([["main", 2]])));
    world.graph.propagate();
    expect(drawn(world)).toEqual(first);
  });
});

describe("a released box", () => {
  it("is not watched any more, even when its node lives on", () => {
    const world = new World();
    const lasting = constant(world, 1);
    const { term, variable } = collection(world, Collection.of([["main", 1]]));
    each(term, () => new Term(world, { node: lasting.node, box: box("shared") }));
    world.graph.propagate();
    variable.set(ok(Collection.of([])));
    world.graph.propagate();
    expect(lasting.node.watchers).toBeUndefined();
    expect([...world.terms.keys()]).toEqual([]);
  });
});

describe("a drawing of the graph", () => {
  it("is stable", () => {
    const { engine, world } = createRig();
    const make = (): void => {
      const b = failing(world, { code: "NO_DOCKERFILE", message: "no Dockerfile", class: "failed" }, box("acme/web/b"));
      const a = constant(world, 1, box("acme/web/a"));
      boxed(gate(a, b), "acme/web/deploy");
      boxed(state(b), "acme/web/status");
    };
    make();
    world.graph.propagate();
    expect(graphText(engine)).toBe(
      [
        "acme/web/a  ok",
        "acme/web/b  failed (NO_DOCKERFILE: no Dockerfile)",
        "acme/web/deploy  blocked ← (acme/web/b), acme/web/a",
        "acme/web/status  ok ← acme/web/b",
        "",
      ].join("\n"),
    );
  });
});
