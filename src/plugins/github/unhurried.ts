import type { Result } from "../../term/output.ts";

export interface Found<T> {
  readonly result: Result<T>;
  /** It was asked for before whoever is given it came: what has changed since may be missing. */
  readonly isOlder: boolean;
}

/**
 * Asks for one thing at a time, and nobody has to wait for the end of it: what comes too late for one is there for
 * whoever asks next.
 */
export class Unhurried<T> {
  #asked: Promise<Result<T>> | undefined;
  /** The newest answer, until somebody has it. */
  #unused: Result<T> | undefined;

  /**
   * What `ask` finds out, or else what somebody's earlier question found out, if nobody was given that yet.
   *
   * @param over Who waits has no more time then: undefined when there is no answer by then.
   */
  async get(ask: () => Promise<Result<T>>, over: Promise<void>): Promise<Found<T> | undefined> {
    const inTime = (asked: Promise<Result<T>>) => Promise.race([asked, over.then(() => undefined)]);
    while (this.#asked !== undefined) if ((await inTime(this.#asked)) === undefined) return this.#older();
    const own = await inTime(this.#begin(ask));
    if (own === undefined) return this.#older();
    if (own === this.#unused) this.#unused = undefined;
    return { result: own, isOlder: false };
  }

  #older(): Found<T> | undefined {
    const result = this.#unused;
    this.#unused = undefined;
    return result && { result, isOlder: true };
  }

  #begin(ask: () => Promise<Result<T>>): Promise<Result<T>> {
    const asked = ask()
      .then((result) => {
        if (result.ok) this.#unused = result;
        return result;
      })
      .finally(() => {
        this.#asked = undefined;
      });
    asked.catch(() => {}); // whoever still waits is told
    this.#asked = asked;
    return asked;
  }
}
