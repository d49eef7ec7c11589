import { describe, expect, it } from "vitest";
import { Variable } from "../../src/incr/index.ts";
import { map } from "../../src/term/combinators.ts";
import { active, ok } from "../../src/term/output.ts";
import { type Answer, answering, answeringBy, sameAnswer } from "../../src/term/term.ts";
import { World } from "../../src/term/world.ts";

const box = (key: string) => ({ key, label: key, kind: "value" });

function answered() {
  const world = new World();
  const first: Answer<number> = { output: ok(1), metadata: { job: "first" } };
  const answer = new Variable<Answer<number>>(world.graph, first, sameAnswer);
  const term = answering(world, box("term"), answer);
  let [runs, told] = [0, 0];
  map(term, () => void (runs += 1));
  term.node.watch(() => void (told += 1));
  const step = (next: Answer<number>): readonly [changed: readonly string[], runs: number, told: number] => {
    answer.set(next);
    world.graph.propagate();
    return [world.takeChanged().map(({ key }) => key), runs, told];
  };
  return { world, term, first, step };
}

describe("a term that shows an answer", () => {
  it("is drawn again when only its metadata changed; who reads its value is not concerned", () => {
    const { term, first, step } = answered();
    expect(step(first)).toEqual([["term"], 1, 1]);
    expect(term.metadata).toEqual({ job: "first" });
    expect(step({ output: ok(1), metadata: { job: "second" } })).toEqual([["term"], 1, 1]);
    expect(term.metadata).toEqual({ job: "second" });
    expect(step({ output: ok(1), metadata: { job: "second" } })).toEqual([[], 1, 1]);
    expect(step({ output: ok(2), metadata: { job: "second" } })).toEqual([["term"], 2, 2]);
    const { metadata } = term;
    for (const more of [{ updating: "ready" as const }, { staleSinceMs: 7 }, { detail: "…" }, {}])
      expect(step({ output: ok(2), metadata: more })).toEqual([["term"], 2, 2]);
    expect([metadata, term.metadata]).toEqual([{ job: "second" }, {}]);
  });

  it("is drawn once a step, though output and metadata both changed", () => {
    const { term, step } = answered();
    expect(step({ output: active("running", "term"), metadata: { job: "next" } })).toEqual([["term"], 0, 1]);
    expect(step({ output: ok(3), metadata: {} })).toEqual([["term"], 1, 2]);
    expect([term.output, term.metadata]).toEqual([ok(3), {}]);
  });

  it("may take its answer from what another node says", () => {
    const { world, term } = answered();
    const next = answeringBy(
      world,
      box("next"),
      term.node,
      (output) => ({
        output: output.state === "ok" ? ok(output.value * 2) : output,
        metadata: { detail: output.state },
      }),
      term,
    );
    world.graph.propagate();
    expect([next.output, next.metadata, next.inputs]).toEqual([ok(2), { detail: "ok" }, [term]]);
  });
});
