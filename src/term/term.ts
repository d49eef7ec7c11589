import type { Node, Scope, Watcher } from "../incr/index.ts";
import { type Answer, AnswerNode, type Metadata, NO_METADATA } from "./answer.ts";
import { boxlessKey, type Output } from "./output.ts";
import type { World } from "./world.ts";

export { type Answer, type Metadata, NO_METADATA, sameAnswer } from "./answer.ts";

/** How a term is drawn. Terms without it (pairs, maps) are only seen as edges. */
export interface Box {
  /** Stable over restarts: `owner/repo/spec/branch:NAME/verb`. */
  readonly key: string;
  /** May hold line breaks. */
  readonly label: string;
  /** head · fetch · build · push · tag · deploy · value: the shape. */
  readonly kind: string;
  /** `pipeline.ts:12`, the line that made it. */
  readonly at?: string;
}

/** A term that is read; or one that only delays the reader and gives it no value, as in `gate`. */
export type TermInput = Term<unknown> | { readonly waitsFor: Term<unknown> };

/** What a term is made of; most have one input, which needs no list of its own. */
export type Inputs = Term<unknown> | readonly TermInput[];

interface Made<T> {
  readonly node: Node<Output<T>>;
  readonly inputs?: Inputs | undefined;
  readonly box?: Box | undefined;
  readonly tell?: Tell<T>["tell"];
}

interface Tell<T> {
  /** The value in a few words, for its box. A method, so that a term of a string can be read as one of anything. */
  tell?(this: void, value: T): string;
}

/** A node of the pipeline: what it is (box, inputs) and what it is now (output). */
export class Term<T> implements Watcher {
  readonly world: World;
  readonly node: Node<Output<T>>;
  readonly box: Box | undefined;
  /** The heading it is drawn under. */
  readonly group: string;
  /** It lives as long as this. */
  readonly scope: Scope;
  /** Of the world's lists of changed boxes the one that it stands in. */
  list = 0;
  readonly #inputs: Inputs;
  readonly #tell: Tell<T>["tell"];
  readonly #number: number;

  constructor(world: World, made: Made<T>) {
    this.world = world;
    this.node = made.node;
    this.box = made.box;
    this.group = world.group;
    this.scope = world.graph.scope;
    this.#inputs = made.inputs ?? NO_INPUTS;
    this.#tell = made.tell;
    this.#number = world.number();
    if (made.box !== undefined) world.register(this);
  }

  get key(): string {
    return this.box?.key ?? boxlessKey(this.#number);
  }

  get inputs(): readonly TermInput[] {
    return this.#inputs instanceof Term ? [this.#inputs] : this.#inputs;
  }

  /** The output as of the last step. */
  get output(): Output<T> {
    return this.node.value;
  }

  /** The value in a few words, when there is one and it can be told. */
  get told(): string | undefined {
    const { output } = this;
    return output.state === "ok" ? this.#tell?.(output.value) : undefined;
  }

  get metadata(): Metadata {
    return this.node instanceof AnswerNode ? this.node.metadata : NO_METADATA;
  }

  /** Of a box: its node has changed, it is to be drawn again. */
  noted(): void {
    this.world.note(this);
  }

  [Symbol.toPrimitive](): never {
    throw new TypeError(
      `the term ${this.key} has no text yet: its value comes and changes while the pipeline runs. ` +
        "Use map(term, (value) => `… ${value} …`) instead of putting the term into a string.",
    );
  }
}

const NO_INPUTS: readonly TermInput[] = [];

/** A term whose box shows what `answer` says. */
export const answering = <T>(
  world: World,
  box: Box,
  answer: Node<Answer<T>>,
  inputs?: Inputs,
  tell?: (value: T) => string,
): Term<T> => answeringBy(world, box, answer, itself, inputs, tell);

const itself = <T>(value: T): T => value;

/** A term whose box shows what `answer` says of the source. */
export function answeringBy<A, T>(
  world: World,
  box: Box,
  source: Node<A>,
  answer: (value: A) => Answer<T>,
  inputs?: Inputs,
  tell?: (value: T) => string,
): Term<T> {
  return new Term(world, { node: new AnswerNode(source, answer), inputs, box, tell });
}
