import { map as mapEach, Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import { fromObservable } from "../../src/engine/monitor.ts";
import { Collection, Variable } from "../../src/incr/index.ts";
import { constant, map, pair } from "../../src/term/combinators.ts";
import { collection, each } from "../../src/term/each.ts";
import { changes } from "../../src/term/observe.ts";
import { type Output, ok, sameOutput } from "../../src/term/output.ts";
import { Term } from "../../src/term/term.ts";
import { World } from "../../src/term/world.ts";
import { createRig } from "../../src/testing/index.ts";

const numbers = (world: World, first: number) => {
  const node = new Variable<Output<number>>(world.graph, ok(first), sameOutput());
  return { term: new Term(world, { node }), set: (value: number) => node.set(ok(value)) };
};
const texts = (term: Term<unknown>, said: string[], name = "") =>
  changes(term)
    .pipe(mapEach((output) => `${name}${output.state === "ok" ? JSON.stringify(output.value) : output.state}`))
    .subscribe({ next: (text) => said.push(text), complete: () => said.push(`${name}complete`) });

describe("a term read as an Observable", () => {
  it("gives the present output to each who subscribes, then each change", () => {
    const world = new World();
    const { term, set } = numbers(world, 1);
    const said: string[] = [];
    texts(term, said, "early "); // before the first step there is nothing to give
    world.graph.propagate();
    const late = texts(term, said, "late ");
    set(2);
    world.graph.propagate();
    late.unsubscribe();
    set(3);
    world.graph.propagate();
    set(3);
    world.graph.propagate();
    expect(said).toEqual(["early 1", "late 1", "early 2", "late 2", "early 3"]);
  });

  it("never gives half of a step", () => {
    const world = new World();
    const [a, b] = [numbers(world, 1), numbers(world, 1)];
    const sum = map(pair(a.term, b.term), ([x, y]) => x - y);
    const said: string[] = [];
    texts(pair(sum, a.term), said);
    world.graph.propagate();
    a.set(2);
    b.set(2);
    world.graph.propagate();
    expect(said).toEqual(["[0,1]", "[0,2]"]);
  });

  it("waits for the end of a step that is being made, and says it once", () => {
    const world = new World();
    const [a, b] = [numbers(world, 1), numbers(world, 10)];
    const sum = map(pair(a.term, b.term), ([x, y]) => x + y);
    const said: string[] = [];
    changes(sum).subscribe();
    let subscribed = false;
    map(a.term, (value) => {
      if (value === 2 && !subscribed) texts(sum, said);
      subscribed = value === 2;
    });
    world.graph.propagate();
    a.set(2);
    b.set(20);
    world.graph.propagate();
    expect(said).toEqual(["22"]);
  });

  it("completes when its sub-graph goes", () => {
    const world = new World();
    const { term, variable } = collection(world, Collection.of([["main", 1]]));
    const said: string[] = [];
    each(term, (_key, item) => {
      texts(item, said);
      return item;
    });
    world.graph.propagate();
    variable.set(ok(Collection.of([])));
    world.graph.propagate();
    expect(said).toEqual(["1", "complete"]);
  });

  it("may feed an input: that is the next step", async () => {
    const { engine, world, clock } = createRig();
    const first = new Subject<number>();
    const second = new Subject<number>();
    const box = (key: string) => ({ key, label: key, kind: "value" });
    const input = fromObservable(engine, box("first"), first);
    const fed = fromObservable(engine, box("second"), second);
    const both = map(pair(input, fed), ([x, y]) => `${x} ${y}`, { box: box("both") });
    changes(input).subscribe((output) => output.state === "ok" && second.next(output.value * 2));
    const steps: string[] = [];
    engine.steps.subscribe(({ number }) => steps.push(`${number} ${JSON.stringify(both.output)}`));
    first.next(21);
    await clock.settle();
    expect(steps.at(-1)).toContain('"21 42"');
    expect(steps.length).toBe(2);
    expect(world.terms.size).toBe(3);
  });

  it("keeps nothing of those who left", () => {
    const world = new World();
    const term = constant(world, 1);
    world.graph.propagate();
    for (let at = 0; at < 10; at += 1) changes(term).subscribe().unsubscribe();
    expect(term.node.watchers).toBeUndefined();
  });
});
