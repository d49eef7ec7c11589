import { isClosing, type Store, StoreFull, type Write } from "./store/store.ts";

interface Item {
  /** Its place in the order. */
  readonly number: number;
  batch: readonly Write[];
  readonly done: () => void;
  readonly unhurried: boolean;
}

/**
 * Writes to the store in order, and waits while the disk is full: whatever must be durable before an effect simply
 * does not come back until there is room, so a full disk stops new effects and nothing else.
 *
 * What ends a job or moves an intent on does not wait: the store has room set aside for it.
 */
export class Journal {
  readonly #store: Store;
  readonly #onFault: (error: unknown) => void;
  readonly #held: Item[] = [];
  #number = 0;
  #closed = false;

  /** @param onFault  Told of a batch that breaks a constraint: a fault of the program. */
  constructor(store: Store, onFault: (error: unknown) => void) {
    this.#store = store;
    this.#onFault = onFault;
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
    return this.#put(batch, false);
  }

  #put(batch: readonly Write[], unhurried: boolean): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) return;
      this.#number += 1;
      const item: Item = { number: this.#number, batch, done: resolve, unhurried };
      if (this.#held.length > 0 && !batch.some(isClosing)) this.#hold(item);
      else this.#send(item);
    });
  }

  /** For what nobody waits for: it keeps its place in the order. */
  note(...batch: readonly Write[]): void {
    void this.#put(batch, false);
  }

  /** For what is of use only together with what comes after it, such as the event that a job names: it goes with that. */
  remark(...batch: readonly Write[]): void {
    void this.#put(batch, true);
  }

  /** Nothing is written from now on, and whoever waits for it waits for ever: the process ends. */
  close(): void {
    this.#closed = true;
  }

  #send(item: Item): void {
    const sent = this.#store.commit(item.batch, item.unhurried).then(
      () => {
        this.#outdate(item);
        item.done();
      },
      (error: unknown) => {
        if (!(error instanceof StoreFull)) throw error;
        this.#hold(item);
      },
    );
    sent.catch(this.#onFault);
  }

  /** Answers may come out of order; what was asked for first is written first all the same. */
  #hold(item: Item): void {
    const after = this.#held.findIndex(({ number }) => number > item.number);
    this.#held.splice(after < 0 ? this.#held.length : after, 0, item);
  }

  /** An older row that is still held must not replace a newer one that has got past it. */
  #outdate({ number, batch }: Item): void {
    if (this.#held.length === 0) return;
    const newer = new Set(batch.map(rowOf));
    for (const held of this.#held)
      if (held.number < number) held.batch = held.batch.filter((write) => !newer.has(rowOf(write)));
  }

  #retry(): void {
    if (this.#closed) return;
    for (const item of this.#held.splice(0)) this.#send(item);
  }
}

/** Names the row that a write replaces. */
function rowOf({ put, row }: Write): string {
  if (put === "result") return `${put} ${row.op} ${row.key}`;
  if (put === "jobInput") return `${put} ${row.job} ${row.name}`;
  if (put === "setting" || put === "apiToken") return `${put} ${row.name}`;
  if (put === "approval") return `${put} ${row.repository} ${row.pull} ${row.hash}`;
  if (put === "inbox") return `${put} ${row.delivery}`;
  if (put === "outboxBefore") return `${put} ${row.kind}`;
  if (put === "inboxBefore") return `${put} ${row.receivedMs}`;
  return "id" in row ? `${put} ${row.id}` : `${put} ${row.key}`;
}
