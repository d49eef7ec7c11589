import { describe, expect, it } from "vitest";
import {
  bindNode,
  Collection,
  eachNode,
  foldNode,
  Incremental,
  JoinNode,
  map2Node,
  mapNode,
  type Node,
  sizeOf,
  Variable,
} from "../../src/incr/index.ts";

const chain = (start: Node<number>, length: number): Node<number> => {
  let node = start;
  for (let at = 0; at < length; at += 1) node = mapNode(node, (value) => value + 1);
  return node;
};

describe("a step", () => {
  it("goes through a chain of 100,000 without recursion", () => {
    const graph = new Incremental();
    const start = new Variable(graph, 0);
    const end = chain(start, 100_000);
    graph.propagate();
    start.set(1);
    expect(graph.propagate()).toBe(100_001);
    expect(end.value).toBe(100_001);
  });

  it("runs the last node of a ladder of 100 diamonds once, though 2^100 ways lead there", () => {
    const graph = new Incremental();
    const start = new Variable(graph, 1n);
    let node: Node<bigint> = start;
    for (let at = 0; at < 100; at += 1) {
      const [left, right] = [mapNode(node, (value) => value), mapNode(node, (value) => value * 2n)];
      node = map2Node(left, right, (a, b) => a + b);
    }
    let runs = 0;
    const sink = mapNode(node, (value) => {
      runs += 1;
      return value;
    });
    graph.propagate();
    start.set(2n);
    graph.propagate();
    expect(runs).toBe(2);
    expect(sink.value).toBe(2n * 3n ** 100n);
  });

  it("costs what changed, not what there is", () => {
    const graph = new Incremental();
    const inputs = Array.from({ length: 1000 }, (_none, at) => new Variable(graph, at));
    let looked = 0;
    const summary = { update: () => void (looked += 1), result: () => looked };
    const join = new JoinNode(graph, inputs, summary);
    graph.propagate();
    expect(looked).toBe(1000);
    inputs[500]?.set(-1);
    expect(graph.propagate()).toBe(2);
    expect(join.value).toBe(1001);
  });

  it("stops at an equal value, with the equality that was given", () => {
    const graph = new Incremental();
    const start = new Variable(graph, 1);
    const parity = mapNode(
      start,
      (value) => [value % 2],
      ([a], [b]) => a === b,
    );
    let runs = 0;
    mapNode(parity, () => void (runs += 1));
    graph.propagate();
    start.set(3);
    graph.propagate();
    expect(runs).toBe(1);
    start.set(4);
    graph.propagate();
    expect(runs).toBe(2);
  });

  it("calls watchers when it is over, clean-ups before them", () => {
    const graph = new Incremental();
    const [a, b] = [new Variable(graph, 1), new Variable(graph, 1)];
    const said: string[] = [];
    const sum = map2Node(a, b, (x, y) => x + y);
    bindNode(a, (value) => {
      graph.scope.onRelease(() => said.push(`released ${value} while the sum is ${sum.value}`));
      return b;
    });
    const unwatch = sum.watch(() => said.push(`sum ${sum.value}, stepping ${graph.stepping}`));
    graph.propagate();
    a.set(2);
    b.set(2);
    graph.propagate();
    unwatch();
    b.set(3);
    graph.propagate();
    expect(said).toEqual(["sum 2, stepping false", "released 1 while the sum is 4", "sum 4, stepping false"]);
  });

  it("does not begin inside another", () => {
    const graph = new Incremental();
    const start = new Variable(graph, 1);
    mapNode(start, () => graph.propagate());
    expect(() => graph.propagate()).toThrow("propagate() inside a step");
  });

  it("refuses a value that depends on itself", () => {
    const graph = new Incremental();
    const start = new Variable(graph, 1);
    const follows: { node?: Node<number> } = {};
    const bound = bindNode(start, () => mapNode(follows.node ?? start, (value) => value));
    follows.node = mapNode(bound, (value) => value);
    expect(() => graph.propagate()).toThrow("a value may not depend on itself");
  });
});

describe("the sub-graphs of a bind", () => {
  it("are released only after the next is made: what both use is never let go", () => {
    const graph = new Incremental();
    let uses = 0;
    const counts: number[] = [];
    const use = (): void => {
      uses += 1;
      counts.push(uses);
      graph.scope.onRelease(() => counts.push((uses -= 1)));
    };
    const start = new Variable(graph, 1);
    bindNode(start, () => {
      use();
      return start;
    });
    graph.propagate();
    start.set(2);
    graph.propagate();
    expect(counts).toEqual([1, 2, 1]);
  });

  it("go with the one they are in, innermost clean-ups first", () => {
    const graph = new Incremental();
    const [outer, inner] = [new Variable(graph, 1), new Variable(graph, 1)];
    const said: string[] = [];
    bindNode(outer, () => {
      graph.scope.onRelease(() => said.push("outer"));
      return bindNode(inner, () => {
        graph.scope.onRelease(() => said.push("inner, first"));
        graph.scope.onRelease(() => said.push("inner, second"));
        return inner;
      });
    });
    graph.propagate();
    outer.set(2);
    graph.propagate();
    expect(said).toEqual(["inner, second", "inner, first", "outer"]);
    expect(sizeOf(inner.readers)).toBe(2); // the new bind and the node that follows it
  });

  it("never run with the value that is about to go", () => {
    const graph = new Incremental();
    const [tag, image] = [new Variable(graph, "old"), new Variable(graph, "old")];
    const seen: string[] = [];
    bindNode(
      mapNode(
        mapNode(tag, (value) => value),
        (value) => value,
      ),
      (made) => mapNode(image, (value) => seen.push(`${made} tag, ${value} image`)),
    );
    graph.propagate();
    tag.set("new");
    image.set("new");
    graph.propagate();
    expect(seen).toEqual(["old tag, old image", "new tag, new image"]);
  });
});

describe("each", () => {
  const parts = (graph: Incremental, source: Node<Collection<number>>) => {
    const said: string[] = [];
    const results = eachNode(source, (key, item) => {
      said.push(`made ${key}`);
      graph.scope.onRelease(() => said.push(`released ${key}`));
      return mapNode(item, (value) => value * 10);
    });
    return { results, said };
  };

  it("keeps a sub-graph while its key stays, and changes its item", () => {
    const graph = new Incremental();
    const source = new Variable(
      graph,
      Collection.of([
        ["a", 1],
        ["b", 2],
      ]),
    );
    const { results, said } = parts(graph, source);
    graph.propagate();
    source.set(
      Collection.of([
        ["b", 3],
        ["c", 4],
      ]),
    );
    graph.propagate();
    expect([...results.value.entries]).toEqual([
      ["b", 30],
      ["c", 40],
    ]);
    expect(said).toEqual(["made a", "made b", "made c", "released a"]);
  });

  it("kills nothing that leaves and comes back within one step", () => {
    const graph = new Incremental();
    const source = new Variable(graph, Collection.of([["a", 1]]));
    const { results, said } = parts(graph, source);
    graph.propagate();
    source.set(source.latest.without("a"));
    source.set(source.latest.with("a", 2));
    graph.propagate();
    expect(said).toEqual(["made a"]);
    expect(results.value.entries.get("a")).toBe(20);
  });

  it("looks only at the keys that changed", () => {
    const graph = new Incremental();
    const many = Array.from({ length: 20_000 }, (_none, at): readonly [string, number] => [`k${at}`, at]);
    const source = new Variable(graph, Collection.of(many));
    const { results } = parts(graph, source);
    let looked = 0;
    foldNode(results, { update: () => void (looked += 1), result: () => looked });
    graph.propagate();
    looked = 0;
    source.set(source.latest.change([["k7", -1]], ["k9"]));
    expect(graph.propagate()).toBeLessThan(10);
    expect(looked).toBe(2);
    expect(results.value.size).toBe(19_999);
  });

  it("uses a place again only after its reader was told that it is free", () => {
    const graph = new Incremental();
    const source = new Variable(graph, Collection.of([["a", 1]]));
    const { results } = parts(graph, source);
    graph.propagate();
    for (let round = 0; round < 5; round += 1) {
      source.set(Collection.of([[`key ${round}`, round]]));
      graph.propagate();
      expect([...results.value.entries]).toEqual([[`key ${round}`, round * 10]]);
    }
  });
});

describe("a collection", () => {
  it("refuses an item that is undefined, since it could not be told from none", () => {
    expect(() => Collection.of([["a", undefined]])).toThrow('item "a" of a collection is undefined');
    const one = Collection.of<number | undefined>([["a", 1]]);
    expect(() => one.with("b", undefined)).toThrow('item "b"');
    expect(Collection.of([["a", null]]).size).toBe(1);
  });

  it("refuses to be read once it was changed", () => {
    const old = Collection.of([["a", 1]]);
    const next = old.with("b", 2);
    expect([...next.entries.keys()]).toEqual(["a", "b"]);
    expect(() => old.entries).toThrow("read the newest one");
    expect(() => old.without("a")).toThrow("read the newest one");
  });
});
