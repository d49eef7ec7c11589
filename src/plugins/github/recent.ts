/** For so long after a change an answer from before it is taken for a late one, milliseconds. */
const MS = 120_000;

type Commits = ReadonlyMap<string | number, { readonly commit: string }>;

/**
 * What changed of late. GitHub answers from several copies, and one that lags behind shows for some seconds what was
 * there before: without this the old commit would be deployed once more.
 */
export class Recent {
  #last: Commits | undefined;
  /** What each changed branch or pull request was before, and when it changed. */
  readonly #before = new Map<string | number, { readonly was: string | undefined; readonly atMs: number }>();
  #backSinceMs: number | undefined;

  /** For how long something has been again as it was a moment ago: to be asked once more before it is believed. */
  backForMs(now: Commits, nowMs: number): number | undefined {
    const isBack = [...this.#before].some(
      ([name, { was, atMs }]) =>
        nowMs - atMs < MS && now.get(name)?.commit === was && this.#last?.get(name)?.commit !== was,
    );
    this.#backSinceMs = isBack ? (this.#backSinceMs ?? nowMs) : undefined;
    return this.#backSinceMs === undefined ? undefined : nowMs - this.#backSinceMs;
  }

  note(now: Commits, nowMs: number): void {
    const last = this.#last ?? now;
    for (const name of new Set([...last.keys(), ...now.keys()])) {
      const was = last.get(name)?.commit;
      if (was !== now.get(name)?.commit) this.#before.set(name, { was, atMs: nowMs });
    }
    for (const [name, { atMs }] of this.#before) if (nowMs - atMs >= MS) this.#before.delete(name);
    this.#last = now;
    this.#backSinceMs = undefined;
  }
}
