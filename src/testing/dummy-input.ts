import type { Engine } from "../engine/engine.ts";
import { Variable } from "../incr/index.ts";
import { active, type Output, ok, sameOutput } from "../term/output.ts";
import { type Box, Term } from "../term/term.ts";

/** A term that the test sets; on its way until then. */
export interface DummyInput<T> {
  readonly term: Term<T>;
  set(value: T): void;
  show(output: Output<T>): void;
}

export function dummyInput<T>(engine: Engine, box: Box, ...first: readonly T[]): DummyInput<T> {
  const [value] = first;
  const output: Output<T> = value === undefined ? active("running", box.key) : ok(value);
  const node = new Variable<Output<T>>(engine.world.graph, output, sameOutput());
  const show = (next: Output<T>): void =>
    engine.change({ kind: "watch", subject: box.key, detail: "set by the test" }, () => node.set(next));
  const term = new Term(engine.world, { node, box });
  engine.change(undefined, () => {});
  return { term, show, set: (next) => show(ok(next)) };
}
