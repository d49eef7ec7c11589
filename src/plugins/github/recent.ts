import type { Refs } from "../../engine/refs.ts";

/** For so long after a change an answer from before it is taken for a late one, milliseconds. */
const MS = 120_000;

/**
 * What changed of late. GitHub answers from several copies, and one that lags behind shows for some seconds what was
 * there before: without this the old commit would be deployed once more.
 */
export class Recent {
  #last = new Map<string, string>();
  /** What each changed branch or pull request was before, and when it changed. */
  readonly #before = new Map<string, { readonly was: string | undefined; readonly atMs: number }>();

  /** Whether something is again as it was a moment ago: to be asked once more before it is believed. */
  isBack(refs: Refs, nowMs: number): boolean {
    const now = commitsOf(refs);
    return [...this.#before].some(
      ([name, { was, atMs }]) => nowMs - atMs < MS && now.get(name) === was && this.#last.get(name) !== was,
    );
  }

  note(refs: Refs, nowMs: number): void {
    const now = commitsOf(refs);
    const isFirst = this.#last.size === 0;
    for (const name of new Set([...this.#last.keys(), ...now.keys()])) {
      const was = this.#last.get(name);
      if (was !== now.get(name) && !isFirst) this.#before.set(name, { was, atMs: nowMs });
    }
    for (const [name, { atMs }] of this.#before) if (nowMs - atMs >= MS) this.#before.delete(name);
    this.#last = now;
  }
}

const commitsOf = ({ branches, pulls }: Refs): Map<string, string> =>
  new Map([
    ...[...branches].map(([name, { commit }]) => [`branch ${name}`, commit] as const),
    ...[...pulls].map(([number, { commit }]) => [`pull ${number}`, commit] as const),
  ]);
