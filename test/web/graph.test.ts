import * as fc from "fast-check";
import { VirtualTimeScheduler } from "rxjs";
import { afterAll, describe, expect, test } from "vitest";
import { type Clock, createClock } from "../../src/engine/clock.ts";
import { problem } from "../../src/engine/errors.ts";
import type { GraphNode, View } from "../../src/engine/view.ts";
import { failure } from "../../src/term/output.ts";
import { TestClock } from "../../src/testing/index.ts";
import { createDrawings } from "../../src/web/graph/drawings.ts";
import { type Arrange, outlineOf } from "../../src/web/graph/layout.ts";
import { shapedOf, wrap } from "../../src/web/graph/shape.ts";
import { spawnThread, startLayoutThread } from "../../src/web/graph/thread.ts";
import { changes, movingPipeline } from "../support/moving.ts";
import { busyDay } from "../support/scene.ts";
import { FakeView, groupsOf, makeNode } from "../support/view.ts";

const clock = createClock();
const thread = startLayoutThread(clock);
afterAll(() => thread.close());
const scene = (): FakeView => busyDay(1_763_719_000_000);

/** Drawings whose layouts are counted. */
function counting(view: View, arrange: Arrange = thread.arrange, time: Clock = clock) {
  const asked: string[] = [];
  const own = (outline: string): ReturnType<Arrange> => {
    asked.push(outline);
    return arrange(outline);
  };
  const drawings = createDrawings(view, time, { arrange: own, close: async () => {} });
  const draw = async (): Promise<string> => Buffer.concat(await drawings.whole([])).toString();
  return { draw, asked };
}
const drawnOf = (view: View): Promise<string> => counting(view).draw();

/** Where the boxes and the frames of a drawing are on the whole picture. */
function placesIn(svg: string) {
  const places: { key: string; x: number; y: number; width: number; height: number; group: number }[] = [];
  const frames: { top: number; width: number; height: number }[] = [];
  let [left, top] = [0, 0];
  const tags =
    /<g class="group" transform="translate\(0 (?<y>[\d.]+)\)"><rect class="frame" x="0.5" y="0.5" width="(?<w>[\d.]+)" height="(?<h>[\d.]+)"|<g transform="translate\((?<left>\d+) (?<top>\d+)\)">|<(?:g|a) class="node[^>]*data-key="(?<key>[^"]*)"[^>]*transform="translate\((?<bx>[\d.]+) (?<by>[\d.]+)\)"/g;
  for (const { groups = {} } of svg.matchAll(tags)) {
    const { y, w, h, left: inX, top: inY, key, bx, by } = groups;
    if (y !== undefined) frames.push({ top: Number(y), width: Number(w), height: Number(h) });
    if (inX !== undefined) [left, top] = [Number(inX), Number(inY)];
    if (key === undefined) continue;
    const group = frames.length - 1;
    const at = { x: left + Number(bx), y: top + Number(by) + (frames[group]?.top ?? 0) };
    places.push({ key, ...at, width: 150, height: 20, group });
  }
  return { places, frames };
}

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

describe("a group", () => {
  test("has an input from another group as a chip", () => {
    const billing = groupsOf(scene().graph()).find((group) => group.name === "demo/billing");
    const { shapes = [], edges } = billing === undefined ? {} : shapedOf(billing);
    expect(shapes.filter((shape) => shape.chip).map((shape) => shape.node.key)).toEqual(["demo/hello/push"]);
    expect(edges).toHaveLength(4);
  });

  test("is drawn again when something in it is another, and laid out again when its shape is", async () => {
    const view = scene();
    const { draw, asked } = counting(view);
    const first = await draw();
    expect(asked).toHaveLength(3);
    view.nodes = view.nodes.map((node): GraphNode => ({ ...node, state: "failed" }));
    const failed = await draw();
    expect(failed).not.toBe(first);
    expect(asked).toHaveLength(3);
    view.nodes = [...view.nodes, makeNode("new", { group: "demo/reports" })];
    expect(await draw()).toContain('data-key="new"');
    expect(asked).toHaveLength(4);
    view.edges = view.edges.slice(1);
    await draw();
    expect(asked).toHaveLength(5);
  });

  test("of the same shape as another has the same layout", async () => {
    const view = new FakeView();
    const repos = ["acme/web", "acme/api"];
    view.nodes = repos.flatMap((group) =>
      ["a", "b"].map((name) => makeNode(`${group}/${name}`, { label: name, group })),
    );
    view.edges = repos.map((group) => ({ from: `${group}/a`, to: `${group}/b` }));
    const { draw, asked } = counting(view);
    const { places } = placesIn(await draw());
    expect(asked).toHaveLength(1);
    expect(places.map(({ key, group }) => `${group} ${key}`)).toHaveLength(4);
    const within = places.map(({ x, y, group }) => [x, y - (places[group * 2]?.y ?? 0)]);
    expect(within.slice(2)).toEqual(within.slice(0, 2));
  });
});

describe("layout", () => {
  test("no two boxes of the busy day overlap, inputs are left of what they feed, groups are below each other", async () => {
    const svg = await drawnOf(scene());
    const { places, frames } = placesIn(svg);
    const heights = new Map(
      groupsOf(scene().graph()).flatMap((group, at) => {
        return shapedOf(group).shapes.map((shape) => [`${at} ${shape.node.key}`, shape.height] as const);
      }),
    );
    const boxes = places.map((place) => ({ ...place, height: heights.get(`${place.group} ${place.key}`) ?? 0 }));
    expect(boxes).toHaveLength(heights.size);
    for (const [index, one] of boxes.entries()) {
      const frame = frames[one.group] ?? { top: 0, width: 0, height: 0 };
      expect(one.x).toBeGreaterThan(0);
      expect(one.x + one.width).toBeLessThan(frame.width);
      expect(one.y).toBeGreaterThan(frame.top);
      expect(one.y + one.height).toBeLessThan(frame.top + frame.height);
      for (const other of boxes.slice(index + 1)) {
        const apart =
          one.x + one.width <= other.x ||
          other.x + other.width <= one.x ||
          one.y + one.height <= other.y ||
          other.y + other.height <= one.y;
        expect(apart, `${one.key} and ${other.key}`).toBe(true);
      }
    }
    const gaps = frames.slice(1).map(({ top }, at) => top - (frames[at]?.top ?? 0) - (frames[at]?.height ?? 0));
    expect(gaps).toHaveLength(2);
    for (const gap of gaps) expect(gap).toBeGreaterThan(0);
  });

  test("each edge ends at the left side of its box, with an arrow that points to the right", async () => {
    const svg = await drawnOf(scene());
    const { places } = placesIn(svg);
    const edges = [
      ...svg.matchAll(/data-to="([^"]*)"><path d="M([\d.]+),[^"]*"[^>]*\/><path class="tip" d="M([\d.]+),/g),
    ];
    expect(edges).toHaveLength(scene().graph().edges.length);
    for (const [, to, start, tip] of edges) {
      const box = places.find(({ key }) => key === to);
      expect(Math.abs(16 + Number(tip) - (box?.x ?? 0))).toBeLessThan(1);
      expect(Number(tip)).toBeGreaterThan(Number(start));
    }
  });

  test("an edge over a column is led around the box between", async () => {
    const boxes = ["a", "b", "c"].map(() => ({ width: 150, height: 50 }));
    const edges = [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
      { from: 0, to: 2 },
    ];
    const places = await thread.arrange(outlineOf({ boxes, edges }));
    const { boxes: [, between] = [], edges: drawn = [] } = places.ok ? places.value : {};
    const over = [...(drawn[2]?.line ?? "").matchAll(/([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    const left = between?.x ?? 0;
    const beside = over.filter(([x = 0]) => x > left && x < left + 150).map(([, y = 0]) => y - (between?.y ?? 0));
    expect(beside.length).toBeGreaterThan(0);
    expect(beside.filter((y) => y > 0 && y < 50)).toEqual([]);
    expect(drawn.map(({ tip }) => tip.length > 0)).toEqual([true, true, true]);
  });

  test("that fails becomes a plain list", async () => {
    const fails: Arrange = async () => failure(problem("LAYOUT_FAILED", "too dense"));
    const svg = await counting(scene(), fails).draw();
    expect(svg.match(/class="node/g)).toHaveLength(15);
    expect(svg).not.toContain('class="edge"');
  });

  test("that failed is tried again a minute later, and not before", async () => {
    const time = new TestClock();
    let dense = true;
    const arrange: Arrange = (outline) =>
      dense ? Promise.resolve(failure(problem("LAYOUT_FAILED", "too dense"))) : thread.arrange(outline);
    const { draw, asked } = counting(scene(), arrange, time);
    const list = await draw();
    dense = false;
    await time.advance(59_000);
    expect(await draw()).toBe(list);
    expect(asked).toHaveLength(3);
    await time.advance(1_000);
    expect(await draw()).toContain('class="edge"');
    expect(asked).toHaveLength(6);
  });

  test("on a machine that has no thread to give is refused; the next one is served", async () => {
    let none = true;
    const short = startLayoutThread(clock, () => {
      if (none) throw new Error("ERR_WORKER_INIT_FAILED: EAGAIN");
      return spawnThread();
    });
    const refused = await Promise.all(["digraph{0}", "digraph{1}"].map((outline) => short.arrange(outline)));
    const error = { code: "LAYOUT_FAILED", message: "no thread for the layout: Error: ERR_WORKER_INIT_FAILED: EAGAIN" };
    expect(refused).toMatchObject([
      { ok: false, error },
      { ok: false, error },
    ]);
    none = false;
    expect(await short.arrange(outlineOf({ boxes: [{ width: 100, height: 40 }], edges: [] }))).toMatchObject({
      ok: true,
    });
    await short.close();
  });

  test("that waits for its turn is refused when the server closes", async () => {
    const closing = startLayoutThread(clock);
    const waiting = [1, 2, 3].map(() => closing.arrange("digraph{}"));
    await closing.close();
    expect((await Promise.all(waiting)).map(({ ok }) => ok)).toEqual([false, false, false]);
  });

  test("a request over its deadline ends the thread, and the next one is served", { timeout: 60_000 }, async () => {
    const scheduler = new VirtualTimeScheduler();
    const late = startLayoutThread(createClock(scheduler));
    // 400 boxes with 4,000 edges take Graphviz far longer than it takes the virtual deadline to pass
    const boxes = Array.from({ length: 400 }, () => ({ width: 100, height: 40 }));
    const edges = Array.from({ length: 4_000 }, (_, at) => ({ from: at % 400, to: (at * 7 + (at >> 3)) % 400 }));
    const slow = late.arrange(outlineOf({ boxes, edges }));
    const quick = late.arrange(outlineOf({ boxes: boxes.slice(0, 2), edges: [{ from: 0, to: 1 }] }));
    scheduler.maxFrames = 10_000;
    scheduler.flush();
    expect(await slow).toMatchObject({ ok: false, error: { message: "no layout within 10 s" } });
    expect(await quick).toMatchObject({ ok: true });
    await late.close();
    expect(await late.arrange(outlineOf({ boxes: [], edges: [] }))).toMatchObject({ ok: false });
  });
});

describe("drawing", () => {
  test("of the busy day is what it was", async () => {
    await expect(`${await drawnOf(scene())}\n`).toMatchFileSnapshot("../fixtures/busy-day.svg");
  });

  test("states are told by symbol and word, not by colour alone", async () => {
    const svg = await drawnOf(scene());
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
    const svg = await drawnOf(scene());
    for (const [, href = ""] of svg.matchAll(/href="([^"]+)"/g)) expect(href).toMatch(/^(\/job\/\d{4}-|#g-)/);
    expect(svg.match(/<g class="node[^>]*tabindex="0"/g)).toHaveLength(12);
    expect(svg).not.toMatch(/ style=|<style|<script|xlink/);
  });

  test("is well-formed whatever the labels hold", async () => {
    const view = new FakeView();
    view.nodes = [
      makeNode("\u0000]]>&<'\"\uD800\uFFFE", { label: "\u0001\u001b[31m</text>", kind: "<k>", group: "g&" }),
    ];
    const svg = await drawnOf(view);
    // oxlint-disable-next-line no-control-regex -- these must not be there
    expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f\uD800-\uDFFF\uFFFE]/);
    expect(svg).toContain("&lt;/text&gt;");
  });

  test("an empty graph is an empty picture", async () => {
    const svg = await drawnOf(new FakeView());
    expect(svg).toContain('width="0" height="0"');
    expect(svg).not.toContain('class="group"');
  });
});

describe("the kept picture", () => {
  test("equals one drawn anew, whatever came, went, moved or changed its state before", {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        const { view, change } = await movingPipeline();
        const kept = counting(view);
        for (const one of list) {
          await change(one);
          expect(await kept.draw()).toBe(await drawnOf(view));
        }
      }),
      { numRuns: 30 },
    );
  });
});
