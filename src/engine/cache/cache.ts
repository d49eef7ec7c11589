import { bindNode, mapNode, type Node, Variable } from "../../incr/index.ts";
import { type Answer, NO_METADATA } from "../../term/answer.ts";
import { failed, type Output, type Result } from "../../term/output.ts";
import { answeringBy, type Box, type Term } from "../../term/term.ts";
import type { Engine } from "../engine.ts";
import { problem } from "../errors.ts";
import type { JobId } from "../job.ts";
import type { ResultRow } from "../store/store.ts";
import type { Builder } from "./builder.ts";
import { digestOf } from "./digest.ts";
import { Instance, type Use } from "./instance.ts";
import { Shelf } from "./shelf.ts";

/**
 * The memory of all builders: at most one instance a key, restored from the store at first use.
 *
 * All recorded results are read in one query at the start, since most are used at once. What nobody uses any more leaves
 * memory in the end, and is read again one by one: a process that runs for years keeps no more than one of a day.
 */
export class Cache {
  readonly #engine: Engine;
  readonly #shelves = new Map<string, Shelf>();
  #size = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    for (const row of engine.store.queries.results()) this.#shelf(row.op).recorded(row);
  }

  /** How many keys are in use. */
  get size(): number {
    return this.#size;
  }

  /** How many results are kept in memory that nobody uses. */
  get rested(): number {
    return [...this.#shelves.values()].reduce((sum, { rested }) => sum + rested, 0);
  }

  /** How a key that is part of the pipeline is made again. */
  rebuilder(op: string, digest: string): (() => Promise<Result<JobId>>) | undefined {
    const found = this.#shelves.get(op)?.instances.get(digest);
    return found !== undefined && found.uses > 0 ? () => found.rebuild() : undefined;
  }

  /** Operation and digest of each key that is part of the pipeline. */
  *wanted(): Iterable<readonly [op: string, digest: string]> {
    for (const [op, { instances }] of this.#shelves)
      for (const [digest, { uses }] of instances) if (uses > 0) yield [op, digest];
  }

  /** The value of a key, for as long as the scope that is being made lives. Call inside a step. */
  get<C, K, V>(builder: Builder<C, K, V>, context: C, key: K, use: Use): Node<Answer<V>> {
    const instance = this.#instance(builder, context, key, use);
    instance.acquire(context, use);
    this.#engine.world.graph.scope.onRelease(() => instance.release());
    return instance.answer;
  }

  #instance<C, K, V>(builder: Builder<C, K, V>, context: C, key: K, use: Use): Instance<C, K, V> {
    const digest = keyDigest(builder, key);
    const shelf = this.#shelf(builder.id);
    const known = shelf.instances.get(digest);
    // Builder ids are unique, so what is kept under this one was made by this very builder.
    if (known instanceof Instance) return known;
    const stored = shelf.take(digest);
    const { graph } = this.#engine.world;
    const about = { engine: this.#engine, builder, context, key, digest: stored?.key ?? digest, term: use.term };
    const made = graph.within(graph.root, () => new Instance(about, stored, this));
    shelf.instances.set(digest, made);
    this.#size += 1;
    return made;
  }

  /** A key that nobody uses. */
  idle(op: string, digest: string, row: ResultRow | undefined): void {
    this.#shelf(op).rest(digest, row);
    this.#size -= 1;
  }

  #shelf(op: string): Shelf {
    const known = this.#shelves.get(op);
    if (known !== undefined) return known;
    const made = new Shelf((key) => this.#engine.store.queries.result(op, key));
    this.#shelves.set(op, made);
    return made;
  }
}

const keyDigest = <C, K, V>(builder: Builder<C, K, V>, key: K): string =>
  digestOf({ version: builder.version, key: builder.key(key) });

export interface CachedOptions<V> {
  readonly validForMs?: number;
  /** Keep showing the previous key's value while the new key's is made. Default false. */
  readonly latched?: boolean;
  /** The value in a few words, for its box. */
  readonly tell?: (value: V) => string;
}

/** A term whose value a builder makes from its input, once a key. */
export function cached<C, K, V>(
  engine: Engine,
  box: Box,
  builder: Builder<C, K, V>,
  context: C,
  input: Term<K>,
  options: CachedOptions<V> = {},
): Term<V> {
  const { graph } = engine.world;
  const use: Use = { term: box.key, ...(options.validForMs === undefined ? {} : { validForMs: options.validForMs }) };
  const known = (output: Output<never>): Node<Answer<V>> =>
    new Variable<Answer<V>>(graph, { output, metadata: NO_METADATA });
  const begin = (output: Output<K>): Node<Answer<V>> => {
    if (output.state !== "ok") return known(output);
    try {
      return engine.cache.get(builder, context, output.value, use);
    } catch (error) {
      // A value that its builder cannot make a key of must not take the others with it.
      return known(failed(problem("PROGRAM_FAULT", error instanceof Error ? error.message : String(error)), box.key));
    }
  };
  const answer = bindNode(input.node, begin);
  const shown = options.latched ? latch(answer) : answer;
  return answeringBy(engine.world, box, shown, (now) => asOf(box.key, input, now), input, options.tell);
}

/** Several terms may share a key: to each of them it is their own. What the input lacks stays the input's. */
function asOf<V>(origin: string, input: Term<unknown>, answer: Answer<V>): Answer<V> {
  const { output, metadata } = answer;
  if (output.state === "ok" || output.origin === origin || input.output.state !== "ok") return answer;
  return { output: { ...output, origin }, metadata };
}

/** While an answer is on its way, the last good one with a mark that it is being renewed. */
function latch<V>(answer: Node<Answer<V>>): Node<Answer<V>> {
  let last: Answer<V> | undefined;
  return mapNode(answer, (now) => {
    if (now.output.state === "ok") last = now;
    if (now.output.state !== "active" || last === undefined) return now;
    return { output: last.output, metadata: { ...now.metadata, updating: now.output.phase } };
  });
}
