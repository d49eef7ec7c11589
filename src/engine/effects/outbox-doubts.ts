/** After this time a request that was given up has landed, or never will. */
const LANDED_MS = 60_000;

/** The sends of a key that nobody answered. */
export class Doubts {
  /** Digest of a value that may still land → until when, by the clock that nobody sets. */
  readonly #untilMs = new Map<string, number>();
  readonly #overwrites: boolean;
  #unsure = false;

  /** @param overwrites Whether what lands late takes the place of what was sent since. */
  constructor(overwrites: boolean) {
    this.#overwrites = overwrites;
  }

  /** A send may have arrived though nobody answered. */
  get unsure(): boolean {
    return this.#unsure;
  }

  /** What may still land. */
  get digests(): readonly string[] {
    return [...this.#untilMs.keys()];
  }

  add(digest: string, nowMs: number): void {
    this.#unsure = true;
    if (this.#overwrites) this.#untilMs.set(digest, nowMs + LANDED_MS);
  }

  /** A later send was answered. One that may land yet stays, also of the same value: it could come after a newer one. */
  answered(nowMs: number): void {
    this.#unsure = false;
    for (const [digest, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(digest);
  }

  /** When everything else than this value has landed or never will; undefined when there is nothing else. */
  othersUntilMs(digest: string): number | undefined {
    const untilMs = [...this.#untilMs].flatMap(([other, until]) => (other === digest ? [] : [until]));
    return untilMs.length === 0 ? undefined : Math.max(...untilMs);
  }
}
