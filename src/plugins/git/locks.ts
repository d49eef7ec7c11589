import { Pool } from "../../engine/pool.ts";

/** Runs what has the same name one after the other, in the order of the calls; some behind all others. */
export class Locks {
  /** Of names that are in use. */
  readonly #pools = new Map<string, Pool>();

  /**
   * Undefined when `signal` was aborted before its turn came: then nothing was done.
   *
   * @param behind Whatever else waits goes first.
   */
  async hold<T>(name: string, signal: AbortSignal, work: () => Promise<T>, behind = false): Promise<T | undefined> {
    if (signal.aborted) return undefined;
    const pool = this.#pools.get(name) ?? new Pool(name, 1);
    this.#pools.set(name, pool);
    const giveBack = await pool.acquire(signal, behind ? "low" : "high");
    if (giveBack === undefined) return undefined;
    try {
      return await work();
    } finally {
      giveBack();
      if (pool.used === 0) this.#pools.delete(name);
    }
  }
}
