import type { Fold, Summary } from "../incr/index.ts";
import { type Active, type Failed, failed, type Output, ok } from "./output.ts";

const NAMES_MAX = 5;

/** Values in the order of their ids, whatever order they came in: what is told must not depend on history. */
class Ranked<Id extends string | number, T> {
  readonly ids: Id[] = [];
  readonly #values = new Map<Id, T>();
  get size(): number {
    return this.ids.length;
  }
  get first(): T | undefined {
    const [id] = this.ids;
    return id === undefined ? undefined : this.#values.get(id);
  }
  get(id: Id): T | undefined {
    return this.#values.get(id);
  }
  set(id: Id, value: T | undefined): void {
    const known = this.#values.has(id);
    if (value !== undefined) this.#values.set(id, value);
    else this.#values.delete(id);
    if (value !== undefined && !known) this.ids.splice(this.#place(id), 0, id);
    if (value === undefined && known) this.ids.splice(this.#place(id), 1);
  }
  /** How many ids are below this one. */
  #place(id: Id): number {
    let [from, to] = [0, this.ids.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const other = this.ids[middle];
      if (other !== undefined && other < id) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** Outputs that are not ok: enough to know the state of a join without reading the others. */
class Trouble<Id extends string | number> {
  readonly #failed = new Ranked<Id, Failed>();
  readonly #active = new Ranked<Id, Active>();
  readonly #messages = new Map<string, number>();
  readonly #name: (id: Id) => string;
  #told: Failed | undefined;
  constructor(name: (id: Id) => string) {
    this.#name = name;
  }
  update(id: Id, before: Output<unknown> | undefined, output: Output<unknown> | undefined): void {
    if (isFine(before) && isFine(output)) return; // as nearly all are nearly always
    this.#count(this.#failed.get(id), -1);
    this.#failed.set(id, output?.state === "failed" ? output : undefined);
    this.#active.set(id, output?.state === "active" ? output : undefined);
    this.#count(this.#failed.get(id), 1);
  }
  #count(output: Failed | undefined, by: 1 | -1): void {
    if (output === undefined) return;
    const { message } = output.failure;
    const count = (this.#messages.get(message) ?? 0) + by;
    if (count === 0) this.#messages.delete(message);
    else this.#messages.set(message, count);
  }
  /** A failure first, then what is active; undefined when all is well. */
  get(): Failed | Active | undefined {
    const { first } = this.#failed;
    if (first === undefined || this.#failed.size === 1) return first ?? this.#active.first;
    return this.#tell(first);
  }
  /** The same object while it says the same: an equal summary goes no further. */
  #tell(first: Failed): Failed {
    const message = this.#message(first.failure.message);
    const { failure, origin } = this.#told ?? first;
    const same = failure.message === message && failure.code === first.failure.code && origin === first.origin;
    if (this.#told === undefined || !same) this.#told = failed({ ...first.failure, message }, first.origin);
    return this.#told;
  }
  #message(first: string): string {
    const { ids, size } = this.#failed;
    const names = ids.slice(0, NAMES_MAX).map(this.#name).join(", ");
    const shown = size > NAMES_MAX ? `${names}, … (${size})` : names;
    return this.#messages.size === 1 ? `${shown} failed: ${first}` : `${shown} failed`;
  }
}

const isFine = (output: Output<unknown> | undefined): boolean => output === undefined || output.state === "ok";

/** The summary behind `all`: its terms in the order in which they were given. */
export function joinAll(name: (slot: number) => string): Summary<Output<unknown>, Output<void>> {
  const trouble = new Trouble<number>(name);
  return {
    update: (slot, before, after) => trouble.update(slot, before, after),
    result: () => trouble.get() ?? ok(undefined),
  };
}

/** The fold behind `each`: the state of all parts, by key. */
export function foldParts(): Fold<Output<unknown>, Failed | Active | undefined> {
  const trouble = new Trouble<string>((key) => key);
  return { update: (key, before, after) => trouble.update(key, before, after), result: () => trouble.get() };
}
