interface Queue {
  readonly first: (() => void)[];
  readonly behind: (() => void)[];
}

/** Runs what has the same name one after the other, in the order of the calls; some behind all others. */
export class Locks {
  /** Those that are held, with who waits for them. */
  readonly #held = new Map<string, Queue>();

  /** @param behind Whatever else waits goes first. */
  async hold<T>(name: string, work: () => Promise<T>, behind = false): Promise<T> {
    await this.#turn(name, behind);
    try {
      return await work();
    } finally {
      this.#pass(name);
    }
  }

  #turn(name: string, behind: boolean): Promise<void> | undefined {
    const queue = this.#held.get(name);
    if (queue !== undefined) return new Promise((resolve) => void (behind ? queue.behind : queue.first).push(resolve));
    this.#held.set(name, { first: [], behind: [] });
    return undefined;
  }

  #pass(name: string): void {
    const queue = this.#held.get(name);
    const next = queue?.first.shift() ?? queue?.behind.shift();
    if (next === undefined) this.#held.delete(name);
    else next();
  }
}
