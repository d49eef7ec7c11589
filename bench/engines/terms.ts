import { isJobId, type JobId } from "../../src/engine/job.ts";
import { type Incr, JoinNode, Variable } from "../../src/incr/index.ts";
import { keys } from "../../src/pipeline/keys.ts";
import type { BuildDeclaration } from "../../src/pipeline/types.ts";
import { joinAll } from "../../src/term/join.ts";
import { active, type Output, ok, sameOutput } from "../../src/term/output.ts";
import { type Answer, answering, answeringBy, type Box, NO_METADATA, sameAnswer, Term } from "../../src/term/term.ts";
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

/** The branch whose boxes are being made: they say the same texts, as those of a pipeline do. */
let latest = { branch: -1, name: "", key: "", at: "" };
let repo: { readonly number: number; readonly name: `${string}/${string}` } = { number: -1, name: "/" };

export function repoOf(branch: number): `${string}/${string}` {
  const number = Math.floor(branch / BRANCHES_A_REPO);
  if (repo.number !== number) repo = { number, name: `acme/app-${number}` };
  return repo.name;
}

/** A box as `pipeline/lower.ts` makes it: a key of the real form, a label, a kind, a line. */
export function boxOf(branch: number, verb: string): Box {
  if (latest.branch !== branch) {
    const name = `b${branch}`;
    latest = { branch, name, key: keys.branch(repoOf(branch), dockerfile, name), at: `pipeline.ts:${branch % 100}` };
  }
  const { name, key, at } = latest;
  return { key: keys.term(key, verb), label: verb === "build" ? "Dockerfile" : name, kind: verb, at };
}

/** An id as the engine makes it; it tests them too. */
export function jobOf(verb: string, number: number): JobId {
  const id = `2026-11-21/090000-${verb}-${number.toString(16).padStart(8, "0")}`;
  if (!isJobId(id)) throw new Error(`${id} is no job's id`);
  return id;
}

/** A source with an answer of its own, as a monitor has it. */
export class Source<T> {
  readonly term: Term<T>;
  readonly #answer: Variable<Answer<T>>;
  constructor(world: World, box: Box, value: T, tell?: (value: T) => string) {
    const answer: Answer<T> = { output: ok(value), metadata: NO_METADATA };
    this.#answer = new Variable<Answer<T>>(world.graph, answer, sameAnswer);
    this.term = answering(world, box, this.#answer, undefined, tell);
  }
  /** Takes effect with the next step. */
  set(value: T): void {
    this.#answer.set({ output: ok(value), metadata: NO_METADATA });
  }
  /** It is being read anew: there is no value for now. */
  hold(): void {
    this.#answer.set({ output: active("running", this.term.key), metadata: NO_METADATA });
  }
}

/** A term with a box and metadata, as a builder's result is shown: an answer that names a job. */
export function boxedTerm<A, B>(
  input: Term<A>,
  box: Box,
  job: string,
  f: (value: A, salt: number) => B,
  salt?: number,
): Term<B> {
  const metadata = { job };
  const answer = (output: Output<A>): Answer<B> =>
    output.state === "ok" ? { output: ok(f(output.value, salt ?? 0)), metadata } : { output, metadata };
  return answeringBy(input.world, box, input.node, answer, input);
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
