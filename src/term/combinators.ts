import { bindNode, JoinNode, map2Node, mapNode, type Node, Variable } from "../incr/index.ts";
import { joinAll } from "./join.ts";
import { type Failure, failed, identical, type Output, ok, type Result, sameOutput } from "./output.ts";
import { type Answer, answering, type Box, Term } from "./term.ts";
import type { World } from "./world.ts";

/** A term with a fixed value. */
export const constant = <T>(world: World, value: T, box?: Box): Term<T> =>
  new Term(world, { node: new Variable<Output<T>>(world.graph, ok(value)), box });

/** A term that is failed from the start, such as a declaration that names something unknown. */
export const failing = (world: World, error: Failure, box: Box): Term<never> =>
  new Term<never>(world, { node: new Variable<Output<never>>(world.graph, failed(error, box.key)), box });

/**
 * `f` of the value. An exception in `f` is a failure `PROGRAM_FAULT` of this term; equal results go no further.
 *
 * @param options.equal Default: identical.
 */
export function map<A, B>(
  term: Term<A>,
  f: (value: A) => B,
  options: { readonly box?: Box; readonly equal?: (before: B, after: B) => boolean } = {},
): Term<B> {
  const apply = (output: Output<A>): Output<B> =>
    output.state === "ok"
      ? attempt(
          () => f(output.value),
          () => made.key,
        )
      : output;
  const made: Term<B> = new Term(term.world, {
    node: mapNode(term.node, apply, options.equal === undefined ? identical : sameOutput(options.equal)),
    inputs: term,
    box: options.box,
  });
  return made;
}

function attempt<B>(f: () => B, key: () => string): Output<B> {
  try {
    return ok(f());
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failed({ code: "PROGRAM_FAULT", message, class: "system" }, key());
  }
}

/** `f` of the value, where `f` may refuse it with a failure. `tell` puts the result into words for the box. */
export function mapResult<A, B>(
  term: Term<A>,
  box: Box,
  f: (value: A) => Result<B>,
  tell?: (value: B) => string,
): Term<B> {
  const apply = (output: Output<A>): Output<B> => {
    if (output.state !== "ok") return output;
    const result = f(output.value);
    return result.ok ? ok(result.value) : failed(result.error, box.key);
  };
  const node = mapNode(term.node, apply, identical);
  return new Term(term.world, { node, inputs: term, box, tell });
}

/** Precedence: a failure of the left, of the right, then what is active, then both values. */
function both<A, B>(left: Output<A>, right: Output<B>): Output<readonly [A, B]> {
  if (left.state === "failed") return left;
  if (right.state === "failed") return right;
  if (left.state === "active") return left;
  if (right.state === "active") return right;
  return ok([left.value, right.value]);
}

export function pair<A, B>(a: Term<A>, b: Term<B>): Term<readonly [A, B]> {
  const equal = sameOutput<readonly [A, B]>((x, y) => Object.is(x[0], y[0]) && Object.is(x[1], y[1]));
  return new Term(a.world, { node: map2Node(a.node, b.node, both, equal), inputs: [a, b] });
}

/** The values of a short, fixed list of terms, in order. */
export function list<T>(world: World, terms: readonly Term<T>[]): Term<readonly T[]> {
  const empty: Term<readonly T[]> = constant<readonly T[]>(world, []);
  return terms.reduce((sofar, term) => map(pair(sofar, term), ([values, value]) => [...values, value]), empty);
}

/**
 * Ok when every term is ok. A failure wins over what is active, and is told once: "web, api failed: no space".
 *
 * Keeps counts, so that one change among 25,000 terms costs one.
 */
export function all(world: World, terms: Readonly<Record<string, Term<unknown>>>, box?: Box): Term<void> {
  const names = Object.keys(terms);
  const inputs = Object.values(terms);
  const join = new JoinNode(
    world.graph,
    inputs.map((term) => term.node),
    joinAll((slot) => names[slot] ?? ""),
    identical,
  );
  return new Term(world, { node: join, inputs, box });
}

/** The value once `on` is ok, else the state of `on`. It delays its reader, not the value. */
export function gate<T>(term: Term<T>, on: Term<unknown>): Term<T> {
  const pass = (value: Output<T>, held: Output<unknown>): Output<T> => (held.state === "ok" ? value : held);
  return new Term(term.world, {
    node: map2Node(term.node, on.node, pass, identical),
    inputs: [term, { waitsFor: on }],
  });
}

/** The failure as a value; what is active passes through. */
export function catchFailure<T>(term: Term<T>): Term<Result<T>> {
  const apply = (output: Output<T>): Output<Result<T>> => {
    if (output.state === "active") return output;
    return ok(output.state === "ok" ? { ok: true, value: output.value } : { ok: false, error: output.failure });
  };
  return new Term(term.world, { node: mapNode(term.node, apply, sameOutput(sameResult)), inputs: term });
}

const sameResult = (a: Result<unknown>, b: Result<unknown>): boolean =>
  a.ok ? b.ok && Object.is(a.value, b.value) : !b.ok && a.error === b.error;

/** The output itself as a value: never fails, never waits. Used to report a state. */
export function state<T>(term: Term<T>): Term<Output<T>> {
  return new Term<Output<T>>(term.world, {
    node: mapNode(term.node, (output) => ok(output), sameOutput<Output<T>>(identical)),
    inputs: term,
  });
}

/** The same value until it changes by `equal`. */
export const cutoff = <T>(term: Term<T>, equal: (before: T, after: T) => boolean): Term<T> =>
  map(term, (value) => value, { equal });

/** What a primitive answers once and for all. */
export const answered = <B>(world: World, answer: Answer<B>): Node<Answer<B>> => new Variable(world.graph, answer);

/**
 * The only kind of term with effects: `run` is called once for each new value of the input and says how to follow
 * its work. What it made before is released after the step.
 */
export function primitive<A, B>(box: Box, input: Term<A>, run: (value: A) => Node<Answer<B>>): Term<B> {
  const { graph } = input.world;
  const begin = (output: Output<A>): Node<Answer<B>> =>
    output.state === "ok" ? run(output.value) : new Variable<Answer<B>>(graph, { output, metadata: {} });
  const changed = mapNode(input.node, (output) => output, identical);
  return answering(input.world, box, bindNode(changed, begin), input);
}
