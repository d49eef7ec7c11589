import { Derived, type Node } from "../incr/index.ts";
import { identical, type Output, type Phase } from "./output.ts";

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

/** Of answers that have nothing to add: one object for all. */
export const NO_METADATA: Metadata = Object.freeze({});

/** What a primitive's node holds. */
export interface Answer<T> {
  readonly output: Output<T>;
  readonly metadata: Metadata;
}

/** Whether two answers say the same to everybody who may look. */
export const sameAnswer = <T>(before: Answer<T>, after: Answer<T>): boolean =>
  identical(before.output, after.output) && sameMetadata(before.metadata, after.metadata);

const sameMetadata = (before: Metadata, after: Metadata): boolean =>
  before === after ||
  (before.job === after.job &&
    before.updating === after.updating &&
    before.staleSinceMs === after.staleSinceMs &&
    before.detail === after.detail);

/** The output of an answer for the terms that read it, with the metadata for those who look: no readers run for that. */
export class AnswerNode<A, T> extends Derived<A, Output<T>> {
  readonly #answer: (value: A) => Answer<T>;
  metadata: Metadata = NO_METADATA;
  constructor(source: Node<A>, answer: (value: A) => Answer<T>) {
    super(source);
    this.#answer = answer;
  }
  override compute(): Output<T> {
    const { output, metadata } = this.#answer(this.source.value);
    if (!sameMetadata(this.metadata, metadata)) {
      this.metadata = metadata;
      this.notify("aside");
    }
    return output;
  }
  override same(before: Output<T>, after: Output<T>): boolean {
    return identical(before, after);
  }
}
