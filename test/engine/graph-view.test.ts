import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { graphOf } from "../../src/engine/graph-view.ts";
import type { GraphChange, GraphEdge, GraphNode, GraphSnapshot } from "../../src/engine/view.ts";
import { constant } from "../../src/term/combinators.ts";
import { changes, movingPipeline } from "../support/moving.ts";
import { groupsOf } from "../support/view.ts";

describe("the kept graph", () => {
  it("equals one made anew after any changes, and what has not changed is the same object", async () => {
    await fc.assert(
      fc.asyncProperty(changes, fc.boolean(), async (list, soon) => {
        const { engine, view, change } = await movingPipeline();
        const named = new Set<string>();
        engine.steps.subscribe((step) => step.changed.forEach(({ key }) => named.add(key)));
        let before = view.graph();
        for (const one of list) {
          named.clear();
          await change(one);
          const now = soon ? await view.graphSoon() : view.graph();
          expect(now).toEqual(graphOf(engine));
          expect(view.groups()).toEqual(groupsOf(graphOf(engine)));
          expect(renewed(before, now, named)).toEqual([]);
          before = now;
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is what a watcher has, who was told the first one and then each step", async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        const { engine, view, change } = await movingPipeline();
        const watcher = watching();
        view.changes.subscribe(watcher.hear);
        for (const one of list) await change(one);
        const { nodes, edges } = graphOf(engine);
        expect([...watcher.nodes.keys()].toSorted()).toEqual(nodes.map(({ key }) => key).toSorted());
        expect([...watcher.edges].map(textOf).toSorted()).toEqual(edges.map(textOf).toSorted());
      }),
      { numRuns: 60 },
    );
  });

  it("is made piece by piece when it is large: others have their turn meanwhile, and their changes are in it", async () => {
    const { engine, view, change } = await largePipeline();
    let [turns, done] = [0, false];
    const count = (): void => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    const soon = view.graphSoon();
    await change({ kind: "branches", group: 0, branches: { a: "1" } });
    const graph = await soon;
    done = true;
    expect(turns).toBeGreaterThanOrEqual(9);
    expect(graph).toEqual(graphOf(engine));
  });

  it("is had at once by who cannot wait, in the same order", async () => {
    const { engine, view, change } = await largePipeline();
    const soon = view.graphSoon();
    await change({ kind: "branches", group: 0, branches: { a: "1" } });
    expect(view.graph()).toEqual(graphOf(engine));
    expect(await soon).toEqual(graphOf(engine));
  });
});

async function largePipeline() {
  const moving = await movingPipeline();
  const { world } = moving.engine;
  for (let at = 0; at < 2_000; at++) constant(world, at, { key: `box ${at}`, label: "", kind: "value" });
  await moving.change({ kind: "branches", group: 1, branches: {} });
  return moving;
}

/** Boxes and edges that are another object though no step named their box. A box at work is looked at each time. */
function renewed(before: GraphSnapshot, now: GraphSnapshot, named: ReadonlySet<string>): readonly unknown[] {
  const [nodes, edges] = [new Set(before.nodes), new Set(before.edges)];
  return [
    ...now.nodes.filter((node) => !named.has(node.key) && node.job === undefined && !nodes.has(node)),
    ...now.edges.filter((edge) => !named.has(edge.to) && !edges.has(edge)),
  ];
}

const textOf = ({ from, to, dashed }: GraphEdge): string => `${from} ${dashed === true ? "-->" : "->"} ${to}`;

/** Who keeps a graph by the news alone. */
function watching() {
  const nodes = new Map<string, GraphNode>();
  let edges: readonly GraphEdge[] = [];
  const hear = (change: GraphChange): void => {
    if (change.kind === "snapshot") {
      for (const node of change.graph.nodes) nodes.set(node.key, node);
      edges = change.graph.edges;
      return;
    }
    for (const key of change.removed) nodes.delete(key);
    for (const node of [...change.changed, ...change.added]) nodes.set(node.key, node);
    if (change.edges === undefined) return;
    const news = new Set([...change.changed, ...change.added].map(({ key }) => key));
    edges = [...edges.filter(({ from, to }) => nodes.has(from) && nodes.has(to) && !news.has(to)), ...change.edges];
  };
  return {
    nodes,
    get edges() {
      return edges;
    },
    hear,
  };
}
