import { type Incr, JoinNode, Variable } from "../../src/incr/index.ts";
import { keys } from "../../src/pipeline/keys.ts";
import type { BuildDeclaration } from "../../src/pipeline/types.ts";
import { joinAll } from "../../src/term/join.ts";
import { active, type Output, ok, sameOutput } from "../../src/term/output.ts";
import { type Answer, answering, answeringBy, type Box, sameAnswer, Term } from "../../src/term/term.ts";
import type { World } from "../../src/term/world.ts";
import { type Arithmetic, add, less } from "../graph/arithmetic.ts";
import { BRANCHES_A_REPO } from "../graph/plan.ts";

const dockerfile: BuildDeclaration = {
  kind: "docker",
  dockerfile: "Dockerfile",
  options: {},
  branches: {},
  at: "pipeline.ts:9",
};

export const repoOf = (branch: number): `${string}/${string}` => `acme/app-${Math.floor(branch / BRANCHES_A_REPO)}`;

/** The branch whose boxes are being made. */
let latest = { branch: -1, key: "" };

/** A box as `pipeline/lower.ts` makes it: a key of the real form, a label, a kind, a line. */
export function boxOf(branch: number, verb: string): Box {
  const name = `b${branch}`;
  if (latest.branch !== branch) latest = { branch, key: keys.branch(repoOf(branch), dockerfile, name) };
  const key = keys.term(latest.key, verb);
  return { key, label: verb === "build" ? "Dockerfile" : name, kind: verb, at: `pipeline.ts:${branch % 100}` };
}

/** A source with an answer of its own, as a monitor has it. */
export interface Source<T> {
  readonly term: Term<T>;
  /** Takes effect with the next step. */
  set(value: T): void;
  /** It is being read anew: there is no value for now. */
  hold(): void;
}

export function sourceTerm<T>(world: World, box: Box, value: T, tell?: (value: T) => string): Source<T> {
  const answer = new Variable<Answer<T>>(world.graph, { output: ok(value), metadata: {} }, sameAnswer);
  return {
    term: answering(world, box, answer, undefined, tell),
    set: (next) => answer.set({ output: ok(next), metadata: {} }),
    hold: () => answer.set({ output: active("running", box.key), metadata: {} }),
  };
}

/** A term with a box and metadata, as a builder's result is shown: an answer that names a job. */
export function boxedTerm<A, B>(input: Term<A>, box: Box, job: string, f: (value: A) => B): Term<B> {
  const metadata = { job };
  const answerTo = (output: Output<A>): Answer<B> =>
    output.state === "ok" ? { output: ok(f(output.value)), metadata } : { output, metadata };
  return answeringBy(input.world, box, input.node, answerTo, input);
}

/** The join behind `all`, which also sums up the values, so that it can be compared with other engines. */
export function sumTerm(
  world: World,
  terms: readonly Term<number>[],
  box: Box | undefined,
  arithmetic: Arithmetic,
): Term<number> {
  const state = joinAll((slot) => terms[slot]?.key ?? "");
  let total = 0;
  const summary = {
    update(slot: number, before: Output<number> | undefined, after: Output<number> | undefined): void {
      state.update(slot, before, after);
      if (before?.state === "ok") total = less(total, before.value);
      if (after?.state === "ok") total = add(total, after.value);
    },
    result(): Output<number> {
      const joined = state.result();
      return joined.state === "ok" ? ok(arithmetic.sum(total)) : joined;
    },
  };
  const nodes = terms.map(({ node }) => node);
  const node = new JoinNode(world.graph, nodes, summary, sameOutput<number>());
  return new Term(world, { node, inputs: terms, box });
}

/** The value of an output that has one. */
export function valueOf({ value: output }: Incr<Output<number>>): number {
  if (output.state === "ok") return output.value;
  throw new Error(`no value: the output is ${output.state}`);
}
