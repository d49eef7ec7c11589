import { problem } from "../../engine/errors.ts";
import { failure, type Result } from "../../term/output.ts";

const UNKNOWN = /\bno (?:commit|ref) found\b/i;
/** With the pauses of the outbox that is eight minutes; then it is a refusal like others. */
const TRIES_MAX = 8;
const KEYS_MAX = 10_000;

/**
 * Right after a push not all of GitHub knows the commit that it has told us of: it answers "No commit found for SHA" for
 * some seconds. That is no refusal yet.
 */
export class NotYet {
  readonly #tries = new Map<string, number>();

  /**
   * What became of telling something of a commit: to be sent again soon when the commit is not known yet.
   *
   * @param key What is told, and of which commit: each has tries of its own.
   */
  told<T>(key: string, result: Result<T>): Result<T> {
    if (result.ok) this.#tries.delete(key);
    const tries = this.#tries.get(key) ?? 0;
    if (result.ok || result.error.code !== "FORGE_REFUSED" || !UNKNOWN.test(result.error.message)) return result;
    if (tries >= TRIES_MAX) return result;
    if (this.#tries.size >= KEYS_MAX) this.#tries.clear();
    this.#tries.set(key, tries + 1);
    // It was answered: nothing of this send can arrive later.
    return failure({ ...problem("FORGE_FAULT", result.error.message), retryAtMs: 0 });
  }
}
