import type { Result } from "../../term/output.ts";

/**
 * Asks for one thing at a time, and nobody has to wait for the end of it: what comes too late for one is there for
 * whoever asks next.
 */
export class Unhurried<T> {
  #asked: Promise<Result<T>> | undefined;

  /**
   * What `ask` finds out, or else what was found out by somebody's earlier question that ended just now.
   *
   * @param over Who waits has no more time then: undefined when there is no answer by then.
   */
  async get(ask: () => Promise<Result<T>>, over: Promise<void>): Promise<Result<T> | undefined> {
    const inTime = (asked: Promise<Result<T>>) => Promise.race([asked, over.then(() => undefined)]);
    let earlier: Result<T> | undefined;
    while (this.#asked !== undefined) {
      earlier = await inTime(this.#asked);
      if (earlier === undefined) return undefined;
    }
    return (await inTime(this.#begin(ask))) ?? (earlier?.ok === true ? earlier : undefined);
  }

  #begin(ask: () => Promise<Result<T>>): Promise<Result<T>> {
    const asked = ask().finally(() => {
      this.#asked = undefined;
    });
    asked.catch(() => {}); // whoever still waits is told
    this.#asked = asked;
    return asked;
  }
}
