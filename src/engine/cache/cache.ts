import { bindNode, mapNode, type Node, Variable } from "../../incr/index.ts";
import { failed, type Output, sameOutput } from "../../term/output.ts";
import { type Answer, answering, type Box, sameAnswer, type Term } from "../../term/term.ts";
import type { Engine } from "../engine.ts";
import { problem } from "../errors.ts";
import type { ResultRow } from "../store/store.ts";
import type { Builder } from "./builder.ts";
import { digestOf } from "./digest.ts";
import { Instance, type Use } from "./instance.ts";

/** An instance whatever its types: they are those of the builder that made it. */
interface AnyInstance {
  readonly uses: number;
}

/**
 * The memory of all builders: at most one instance a key, restored from the store at first use.
 *
 * All recorded results are read in one query at the start; memory is the truth after that.
 */
export class Cache {
  readonly #engine: Engine;
  readonly #stored = new Map<string, ResultRow>();
  readonly #instances = new Map<string, AnyInstance>();

  constructor(engine: Engine) {
    this.#engine = engine;
    for (const row of engine.store.queries.results()) this.#stored.set(`${row.op} ${row.key}`, row);
  }

  /** How many keys are in memory. */
  get size(): number {
    return this.#instances.size;
  }

  /** The value of a key, for as long as the scope that is being made lives. Call inside a step. */
  get<C, K, V>(builder: Builder<C, K, V>, context: C, key: K, use: Use): Node<Answer<V>> {
    const digest = digestOf({ version: builder.version, key: builder.key(key) });
    const name = `${builder.id} ${digest}`;
    const instance = this.#instance(builder, context, key, digest, use, name);
    instance.acquire(context, use);
    this.#engine.world.graph.scope.onRelease(() => instance.release());
    return instance.answer;
  }

  #instance<C, K, V>(
    builder: Builder<C, K, V>,
    context: C,
    key: K,
    digest: string,
    use: Use,
    name: string,
  ): Instance<C, K, V> {
    const known = this.#instances.get(name);
    // Builder ids are unique, so what is stored under this name was made by this very builder.
    if (known instanceof Instance) return known;
    const made: Instance<C, K, V> = this.#engine.world.graph.within(this.#engine.world.graph.root, () => {
      const forget = (row: ResultRow | undefined): void => {
        this.#instances.delete(name);
        if (row !== undefined) this.#stored.set(name, row);
      };
      return new Instance(this.#engine, builder, context, key, digest, use.term, this.#stored.get(name), forget);
    });
    this.#instances.set(name, made);
    return made;
  }

  /** What a run of this key would be: known already, or to be made. For plans; starts nothing. */
  known<C, K, V>(builder: Builder<C, K, V>, key: K): boolean {
    const row = this.#stored.get(`${builder.id} ${digestOf({ version: builder.version, key: builder.key(key) })}`);
    return row !== undefined && row.error === null && !row.rebuild;
  }
}

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
  const known = (output: Output<never>): Node<Answer<V>> => new Variable<Answer<V>>(graph, { output, metadata: {} });
  const begin = (output: Output<K>): Node<Answer<V>> => {
    if (output.state !== "ok") return known(output);
    try {
      const made = engine.cache.get(builder, context, output.value, use);
      return mapNode(made, (answer) => asOf(box.key, answer), sameAnswer);
    } catch (error) {
      // A value that its builder cannot make a key of must not take the others with it.
      return known(failed(problem("PROGRAM_FAULT", error instanceof Error ? error.message : String(error)), box.key));
    }
  };
  const answer = bindNode(
    mapNode(input.node, (output) => output, sameOutput()),
    begin,
  );
  return answering(engine.world, box, options.latched ? latch(answer) : answer, input, options.tell);
}

/** Several terms may share a key: to each of them it is their own. */
function asOf<V>(origin: string, answer: Answer<V>): Answer<V> {
  const { output, metadata } = answer;
  return output.state === "ok" || output.origin === origin ? answer : { output: { ...output, origin }, metadata };
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
