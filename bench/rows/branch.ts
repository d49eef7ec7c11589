import { Collection } from "../../src/incr/index.ts";
import { collection, each } from "../../src/term/each.ts";
import { ok } from "../../src/term/output.ts";
import type { Term } from "../../src/term/term.ts";
import { World } from "../../src/term/world.ts";
import { boxedTerm, boxOf, jobOf, repoOf } from "../engines/terms.ts";
import { median } from "../maths.ts";
import type { Figures, Task } from "../task.ts";
import { wallMs } from "./meter.ts";

const VERBS = ["build", "push", "deploy", "status"];

/** A branch appears among many, and goes again: four boxes are made and joined, nothing else is touched. */
export async function measureBranch(task: Task): Promise<Figures> {
  const world = new World();
  const names = Array.from({ length: task.size }, (_, branch) => [String(branch), branch] as const);
  let branches = Collection.of(names);
  const { term, variable } = collection(world, branches);
  const results = each(term, branchOf);
  const step = (next: Collection<number>): number => {
    branches = next;
    return wallMs(() => {
      variable.set(ok(next));
      world.graph.propagate();
      world.takeChanged();
    });
  };
  const buildMs = step(branches);
  const [added, removed]: [number[], number[]] = [[], []];
  const count = task.quick ? 60 : 200;
  for (let round = 0; round < 2 * count; round++) {
    const branch = task.size + round;
    added.push(step(branches.with(String(branch), branch)));
    removed.push(step(branches.without(String(branch))));
  }
  if (results.output.state !== "ok" || results.output.value.size !== task.size) throw new Error("a branch was lost");
  if (world.terms.size !== task.size * VERBS.length) throw new Error("a box was lost");
  return { buildMs, addMs: median(added.slice(count)), removeMs: median(removed.slice(count)) };
}

function branchOf(name: string, head: Term<number>): Term<number> {
  const branch = Number(name);
  const { world } = head;
  return world.grouped(repoOf(branch), () =>
    VERBS.reduce(
      (sofar, verb) => boxedTerm(sofar, boxOf(branch, verb), jobOf(verb, branch), (value) => value + 1, 0),
      head,
    ),
  );
}
