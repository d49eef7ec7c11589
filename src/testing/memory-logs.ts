import type { Clock } from "../engine/clock.ts";
import { LogFiles } from "../engine/job-log.ts";
import type { Sink } from "../engine/log-sink.ts";

/** Job logs in memory: no file is touched, so that virtual time waits for no disk. */
export class MemoryLogs extends LogFiles {
  readonly #texts = new Map<string, string>();

  constructor(clock: Clock) {
    super("", clock);
  }

  /** What the log of a job says. */
  text(job: string): string {
    return this.#text(`job/${job}.log`);
  }

  /** What all of them say. */
  all(): string {
    return [...this.#texts.keys()].map((path) => this.#text(path)).join("\n");
  }

  /** Drops what was written until now. */
  forget(): void {
    this.#texts.clear();
  }

  #text(path: string): string {
    this.flush(path);
    return this.#texts.get(path) ?? "";
  }

  protected override sink(path: string): Sink {
    const append = (text: string): void => void this.#texts.set(path, (this.#texts.get(path) ?? "") + text);
    return { append, close: () => Promise.resolve() };
  }

  override async size(path: string): Promise<number> {
    return Buffer.byteLength(this.#text(path));
  }

  override async read(path: string, from: number, bytesMax: number): Promise<Uint8Array> {
    return Buffer.from(this.#text(path)).subarray(from, from + bytesMax);
  }
}
