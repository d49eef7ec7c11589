import { type Store, StoreFull, type Write } from "./store/store.ts";

/**
 * Writes to the store in order, and waits while the disk is full: whatever must be durable before an effect simply
 * does not come back until there is room, so a full disk stops new effects and nothing else.
 */
export class Journal {
  readonly #store: Store;
  #closed = false;
  readonly #held: { readonly batch: readonly Write[]; readonly done: () => void }[] = [];

  constructor(store: Store) {
    this.#store = store;
    store.onFull((full) => {
      if (!full) this.#retry();
    });
  }

  /** Whether something waits for room on the disk. */
  get blocked(): boolean {
    return this.#held.length > 0 || this.#store.full;
  }

  /** Resolves once the batch is durable. */
  save(...batch: readonly Write[]): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) return;
      if (this.#held.length > 0) this.#held.push({ batch, done: resolve });
      else this.#send({ batch, done: resolve });
    });
  }

  /** For what nobody waits for: it keeps its place in the order. */
  note(...batch: readonly Write[]): void {
    void this.save(...batch);
  }

  /** Nothing is written from now on, and whoever waits for it waits for ever: the process ends. */
  close(): void {
    this.#closed = true;
  }

  #send(item: { readonly batch: readonly Write[]; readonly done: () => void }): void {
    this.#store.commit(item.batch).then(item.done, (error: unknown) => {
      if (error instanceof StoreFull) this.#held.push(item);
      else throw error; // a batch that breaks a constraint is a fault of the program
    });
  }

  #retry(): void {
    for (const item of this.#held.splice(0)) this.#send(item);
  }
}
