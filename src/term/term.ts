import type { Node, Scope } from "../incr/index.ts";
import { mapNode } from "../incr/index.ts";
import { boxlessKey, type Output, type Phase, sameOutput } from "./output.ts";
import type { World } from "./world.ts";

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

/** What a term's box can say besides its output. */
export interface Metadata {
  readonly job?: string;
  /** At work on a newer value while the old one is still shown. */
  readonly updating?: Phase;
  /** The value is old: reading it again has failed since then (milliseconds since 1970). */
  readonly staleSinceMs?: number;
  /** One sentence for people. */
  readonly detail?: string;
}

/** What a primitive's node holds. */
export interface Answer<T> {
  readonly output: Output<T>;
  readonly metadata: Metadata;
}

interface TermInput {
  readonly term: Term<unknown>;
  /** Delays the reader but gives it no value: `gate`. */
  readonly control?: true;
}

/** Whether two answers say the same to everybody who may look. */
export function sameAnswer<T>(before: Answer<T>, after: Answer<T>): boolean {
  const names = ["job", "updating", "staleSinceMs", "detail"] as const;
  return (
    sameOutput<T>()(before.output, after.output) &&
    names.every((name) => before.metadata[name] === after.metadata[name])
  );
}

interface Made<T> {
  readonly node: Node<Output<T>>;
  readonly inputs?: readonly TermInput[];
  readonly box?: Box | undefined;
  readonly answer?: Node<Answer<T>>;
  /** The value in a few words, for its box. */
  tell?(this: void, value: T): string;
}

/** A node of the pipeline: what it is (box, inputs) and what it is now (output). */
export class Term<T> {
  readonly world: World;
  readonly node: Node<Output<T>>;
  readonly inputs: readonly TermInput[];
  readonly box: Box | undefined;
  readonly answer: Node<Answer<T>> | undefined;
  readonly #tell: Made<T>["tell"];
  /** The heading it is drawn under. */
  readonly group: string;
  /** It lives as long as this. */
  readonly scope: Scope;
  readonly #number: number;

  constructor(world: World, made: Made<T>) {
    this.world = world;
    this.#tell = made.tell;
    this.node = made.node;
    this.inputs = made.inputs ?? [];
    this.box = made.box;
    this.answer = made.answer;
    this.group = world.group;
    this.scope = world.graph.scope;
    this.#number = world.number();
    if (made.box !== undefined) world.register(this);
  }

  get key(): string {
    return this.box?.key ?? boxlessKey(this.#number);
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
    return this.answer?.value.metadata ?? {};
  }

  [Symbol.toPrimitive](): never {
    throw new TypeError(
      `the term ${this.key} has no text yet: its value comes and changes while the pipeline runs. ` +
        "Use map(term, (value) => `… ${value} …`) instead of putting the term into a string.",
    );
  }
}

/** A term whose box shows what `answer` says. */
export function answering<T>(
  world: World,
  box: Box,
  answer: Node<Answer<T>>,
  inputs: readonly TermInput[] = [],
  tell?: (value: T) => string,
): Term<T> {
  const node = mapNode(answer, ({ output }) => output, sameOutput<T>());
  return new Term(world, { node, inputs, box, answer, ...(tell === undefined ? {} : { tell }) });
}
