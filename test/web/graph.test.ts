import { VirtualTimeScheduler } from "rxjs";
import { afterAll, describe, expect, test } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import { problem } from "../../src/engine/errors.ts";
import type { GraphSnapshot } from "../../src/engine/view.ts";
import { failure } from "../../src/term/output.ts";
import { type Arrange, createLayout } from "../../src/web/graph/layout.ts";
import { groupsOf, wrap } from "../../src/web/graph/shape.ts";
import { drawGraph } from "../../src/web/graph/svg.ts";
import { startLayoutThread } from "../../src/web/graph/thread.ts";
import { busyDay } from "../support/scene.ts";
import { FakeView, makeNode } from "../support/view.ts";

const thread = startLayoutThread(createClock());
afterAll(() => thread.close());
const draw = { title: "Pipeline", styleSheets: [] };
const graph = (): GraphSnapshot => busyDay(1_763_719_000_000).graph();

describe("labels", () => {
  test.each([
    ["short", ["short"]],
    ["", [" "]],
    ["demo/hello\nlive", ["demo/hello", "live"]],
    ["build the image of the invoices service", ["build the image of the", "invoices service"]],
    ["a".repeat(30), ["a".repeat(24), "a".repeat(6)]],
    ["😀".repeat(26), ["😀".repeat(24), "😀😀"]],
    ["a\u202Eb", ["a⟨U+202E⟩b"]],
    ["one\ntwo\nthree\nfour", ["one", "two", "three…"]],
  ])("%j", (text, lines) => {
    expect(wrap(text, 24, 3)).toEqual(lines);
  });

  test("10 kB end after three lines", () => {
    const lines = wrap("word ".repeat(2_000), 24, 3);
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toMatch(/…$/);
  });
});

describe("groups", () => {
  test("an input from another group is a chip", () => {
    const billing = groupsOf(graph()).find((group) => group.name === "demo/billing");
    expect(billing?.shapes.filter((shape) => shape.chip).map((shape) => shape.node.key)).toEqual(["demo/hello/push"]);
    expect(billing?.edges).toHaveLength(4);
  });

  test("states do not change the hash; boxes and edges do, in their group only", () => {
    const before = groupsOf(graph());
    const { nodes, edges } = graph();
    const recoloured = groupsOf({ ...graph(), nodes: nodes.map((node) => ({ ...node, state: "running" })) });
    expect(recoloured.map((group) => group.hash)).toEqual(before.map((group) => group.hash));
    const cut = groupsOf({ ...graph(), edges: edges.slice(1) });
    expect(cut.map((group, index) => group.hash === before[index]?.hash)).toEqual([false, true, true]);
  });

  test("an edge to nowhere is left out", () => {
    const [group] = groupsOf({ step: 1, structure: 1, nodes: [makeNode("a")], edges: [{ from: "a", to: "gone" }] });
    expect(group?.edges).toEqual([]);
  });
});

describe("layout", () => {
  test("no two boxes of the busy day overlap, inputs are left of what they feed, groups are below each other", async () => {
    const picture = await createLayout(thread.arrange)(graph());
    expect(picture.plain).toBe(false);
    const boxes = picture.groups.flatMap((group) => group.shapes.map(({ shape, at }) => ({ shape, at, group })));
    for (const [index, one] of boxes.entries()) {
      expect(one.at.x).toBeGreaterThanOrEqual(0);
      expect(one.at.x + one.shape.width).toBeLessThanOrEqual(picture.width);
      expect(one.at.y).toBeGreaterThan(one.group.y);
      expect(one.at.y + one.shape.height).toBeLessThan(one.group.y + one.group.height);
      for (const other of boxes.slice(index + 1)) {
        const apart =
          one.at.x + one.shape.width <= other.at.x ||
          other.at.x + other.shape.width <= one.at.x ||
          one.at.y + one.shape.height <= other.at.y ||
          other.at.y + other.shape.height <= one.at.y;
        expect(apart, `${one.shape.node.key} and ${other.shape.node.key}`).toBe(true);
      }
    }
    const edges = picture.groups.flatMap((group) => group.edges);
    expect(edges).toHaveLength(graph().edges.length);
    for (const edge of edges) expect(edge.tip.x).toBeGreaterThan(edge.points[0]?.x ?? Infinity);
  });

  test("is kept by structure: a change of states arranges nothing, a change in one group only that one", async () => {
    let arranged = 0;
    const counting: Arrange = (sizes) => {
      arranged += 1;
      return thread.arrange(sizes);
    };
    const layout = createLayout(counting);
    const { nodes } = graph();
    await layout(graph());
    expect(arranged).toBe(3);
    await layout({ ...graph(), step: 2, nodes: nodes.map((node) => ({ ...node, state: "failed" })) });
    expect(arranged).toBe(3);
    await layout({ ...graph(), step: 3, nodes: [...nodes, makeNode("new", { group: "demo/reports" })] });
    expect(arranged).toBe(4);
  });

  test("that fails becomes a plain list", async () => {
    const layout = createLayout(async () => failure(problem("LAYOUT_FAILED", "too dense")));
    const picture = await layout(graph());
    expect(picture.plain).toBe(true);
    const svg = drawGraph(picture, draw).text;
    expect(svg.match(/class="node/g)).toHaveLength(15);
    expect(svg).not.toContain('class="edge"');
  });

  test("a request over its deadline ends the thread, and the next one is served", { timeout: 60_000 }, async () => {
    const scheduler = new VirtualTimeScheduler();
    const late = startLayoutThread(createClock(scheduler));
    // 400 boxes with 4,000 edges take Graphviz far longer than it takes the virtual deadline to pass
    const boxes = Array.from({ length: 400 }, () => [100, 40] as const);
    const edges = Array.from({ length: 4_000 }, (_, at) => [at % 400, (at * 7 + (at >> 3)) % 400] as const);
    const slow = late.arrange({ boxes, edges });
    const quick = late.arrange({ boxes: boxes.slice(0, 2), edges: [[0, 1]] });
    scheduler.maxFrames = 10_000;
    scheduler.flush();
    expect(await slow).toMatchObject({ ok: false, error: { message: "no layout within 10 s" } });
    expect(await quick).toMatchObject({ ok: true });
    await late.close();
    expect(await late.arrange({ boxes: [], edges: [] })).toMatchObject({ ok: false });
  });
});

describe("drawing", () => {
  test("of the busy day is what it was", async () => {
    const picture = await createLayout(thread.arrange)(graph());
    await expect(`${drawGraph(picture, draw).text}\n`).toMatchFileSnapshot("../fixtures/busy-day.svg");
  });

  test("states are told by symbol and word, not by colour alone", async () => {
    const svg = drawGraph(await createLayout(thread.arrange)(graph()), draw).text;
    for (const [look, word] of [
      ["failed", "failed"],
      ["running", "running 3/7"],
      ["trouble", "stale"],
      ["waiting", "waiting"],
    ]) {
      expect(svg).toMatch(new RegExp(`class="node look-${look}[^]*?href="#g-${look}"[^]*?class="word"[^>]*>${word}<`));
    }
  });

  test("links lead to jobs only, and a box without one can still be reached by keyboard", async () => {
    const svg = drawGraph(await createLayout(thread.arrange)(graph()), draw).text;
    for (const [, href = ""] of svg.matchAll(/href="([^"]+)"/g)) expect(href).toMatch(/^(\/job\/\d{4}-|#g-)/);
    expect(svg.match(/<g class="node[^>]*tabindex="0"/g)).toHaveLength(12);
    expect(svg).not.toMatch(/ style=|<style|<script|xlink/);
  });

  test("is well-formed whatever the labels hold", async () => {
    const view = new FakeView();
    view.nodes = [
      makeNode("\u0000]]>&<'\"\uD800\uFFFE", { label: "\u0001\u001b[31m</text>", kind: "<k>", group: "g&" }),
    ];
    const svg = drawGraph(await createLayout(thread.arrange)(view.graph()), draw).text;
    // oxlint-disable-next-line no-control-regex -- these must not be there
    expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f\uD800-\uDFFF\uFFFE]/);
    expect(svg).toContain("&lt;/text&gt;");
  });

  test("an empty graph is an empty picture", async () => {
    const picture = await createLayout(thread.arrange)(new FakeView().graph());
    expect(picture).toMatchObject({ width: 0, height: 0, groups: [] });
  });
});
