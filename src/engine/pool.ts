/** How many jobs may use a resource at the same time, with two first-in-first-out queues: high before low. */
export class Pool {
  readonly name: string;
  readonly capacity: number;
  #used = 0;
  readonly #high: (() => void)[] = [];
  readonly #low: (() => void)[] = [];

  constructor(name: string, capacity: number) {
    this.name = name;
    this.capacity = capacity;
  }

  get used(): number {
    return this.#used;
  }

  get waiting(): number {
    return this.#high.length + this.#low.length;
  }

  /**
   * Waits for a place; resolves with the function that gives it back, or with undefined when `signal` is aborted first.
   * `low` is for what nobody waits for: background updates of a value that is still shown, say.
   */
  acquire(signal: AbortSignal, priority: "high" | "low" = "high"): Promise<(() => void) | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    if (this.#used < this.capacity && this.waiting === 0) return Promise.resolve(this.#take());
    const queue = priority === "high" ? this.#high : this.#low;
    return new Promise((resolve) => {
      const give = (): void => {
        signal.removeEventListener("abort", leave);
        resolve(this.#take());
      };
      const leave = (): void => {
        const at = queue.indexOf(give);
        if (at >= 0) queue.splice(at, 1);
        resolve(undefined);
      };
      signal.addEventListener("abort", leave, { once: true });
      queue.push(give);
    });
  }

  #take(): () => void {
    this.#used += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#used -= 1;
      while (this.#used < this.capacity) {
        const next = this.#high.shift() ?? this.#low.shift();
        if (next === undefined) return;
        next();
      }
    };
  }
}
