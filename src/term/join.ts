import type { Fold, Summary } from "../incr/index.ts";
import { type Active, type Failed, failed, type Output, ok } from "./output.ts";

const NAMES_MAX = 5;

/** Outputs that are not ok, by name: enough to know the state of a join without reading the others. */
class Trouble {
  readonly #failed = new Map<string, Failed>();
  readonly #active = new Map<string, Active>();
  set(name: string, output: Output<unknown> | undefined): void {
    this.#failed.delete(name);
    this.#active.delete(name);
    if (output?.state === "failed") this.#failed.set(name, output);
    else if (output?.state === "active") this.#active.set(name, output);
  }
  /** A failure first, then what is active; undefined when all is well. */
  get(): Failed | Active | undefined {
    if (this.#failed.size === 0) return this.#active.values().next().value;
    const [first] = this.#failed.values();
    if (first === undefined || this.#failed.size === 1) return first;
    return failed({ ...first.failure, message: this.#message(first.failure.message) }, first.origin);
  }
  #message(first: string): string {
    const names = [...this.#failed.keys()];
    const shown = names.slice(0, NAMES_MAX).join(", ") + (names.length > NAMES_MAX ? `, … (${names.length})` : "");
    const alike = [...this.#failed.values()].every(({ failure }) => failure.message === first);
    return alike ? `${shown} failed: ${first}` : `${shown} failed`;
  }
}

/** The summary behind `all`. */
export function joinAll(name: (slot: number) => string): Summary<Output<unknown>, Output<void>> {
  const trouble = new Trouble();
  return {
    update: (slot, _before, after) => trouble.set(name(slot), after),
    result: () => trouble.get() ?? ok(undefined),
  };
}

/** The fold behind `each`: the state of all parts. */
export function foldParts(): Fold<Output<unknown>, Failed | Active | undefined> {
  const trouble = new Trouble();
  return { update: (key, _before, after) => trouble.set(key, after), result: () => trouble.get() };
}
