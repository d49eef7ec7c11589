import type { Queries, Store, StoreCounts, Write } from "../engine/store/store.ts";

/** What a test may do to a commit before it is written: let it through, or let the process die first. */
export type Probe = (point: string) => boolean;

/**
 * A store as one process has it. When the process dies nothing more is written, and nobody is answered any more; the
 * store beneath stays for the next one.
 */
export class MortalStore implements Store {
  readonly epoch: number;
  readonly #store: Store;
  readonly #probe: Probe;

  /** @param probe  Asked before and after each commit; false when the process is dead (by then). */
  constructor(store: Store, epoch: number, probe: Probe) {
    this.#store = store;
    this.epoch = epoch;
    this.#probe = probe;
  }

  async commit(batch: readonly Write[], unhurried = false): Promise<void> {
    if (!this.#probe(`before commit ${batch.map(nameOf).join(" ")}`)) return never();
    await this.#store.commit(batch, unhurried);
    if (!this.#probe(`after commit ${batch.map(nameOf).join(" ")}`)) return never();
  }

  flush(): Promise<void> {
    return this.#store.flush();
  }
  get queries(): Queries {
    return this.#store.queries;
  }
  get full(): boolean {
    return this.#store.full;
  }
  onFull(listener: (full: boolean) => void): void {
    this.#store.onFull(listener);
  }
  get counts(): StoreCounts {
    return this.#store.counts;
  }
  close(): Promise<void> {
    return this.#store.close();
  }
}

/** What a dead process waits for. */
export const never = (): Promise<never> => new Promise(() => {});

const nameOf = ({ put, row }: Write): string => ("state" in row ? `${put} ${row.state}` : put);
