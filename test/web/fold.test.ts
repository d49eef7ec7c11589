import { describe, expect, it } from "vitest";
import type { GraphNode } from "../../src/engine/view.ts";
import { folded } from "../../src/web/graph/fold.ts";

const node = (key: number, state: GraphNode["state"] = "ok"): GraphNode => ({
  key: `box ${key}`,
  label: `${key}`,
  kind: "build",
  group: "acme/web-builds",
  state,
  detail: "",
});

function group(name: string, count: number, states: Readonly<Record<number, GraphNode["state"]>> = {}) {
  const boxes = Array.from({ length: count }, (_, at) => node(at, states[at] ?? "ok"));
  const edges = boxes.slice(1).map(({ key }, at) => ({ from: `box ${at}`, to: key }));
  return { name, boxes, chips: [node(count)], edges };
}

describe("a group of checks", () => {
  it("is drawn whole while it is small, and any other group always", () => {
    for (const whole of [group("acme/web-builds", 120), group("acme/web", 30_000)]) expect(folded(whole)).toBe(whole);
  });

  it("of thousands shows what is wrong or under way, and says of how many", () => {
    const drawn = folded(group("acme/web-builds", 30_000, { 7: "running", 9: "failed", 8: "blocked", 6: "failed" }));
    expect(drawn.name).toBe("acme/web-builds: 3 of 30000 boxes");
    expect(drawn.boxes.map(({ key, state }) => `${key} ${state}`)).toEqual([
      "box 6 failed",
      "box 9 failed",
      "box 7 running",
    ]);
    expect(drawn.edges).toEqual([{ from: "box 6", to: "box 7" }]);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [at, "failed" as const]));
    expect(folded(group("acme/web-builds", 30_000, many)).boxes).toHaveLength(40);
    expect(folded(group("acme/web-builds", 30_000)).boxes).toHaveLength(1);
  });
});
