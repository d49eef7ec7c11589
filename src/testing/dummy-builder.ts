import type { Builder } from "../engine/cache/builder.ts";
import { problem } from "../engine/errors.ts";
import type { Job, JobId } from "../engine/job.ts";
import type { Codec, Json } from "../engine/json.ts";
import type { Level } from "../engine/level.ts";
import type { Pool } from "../engine/pool.ts";
import { type Failure, failure, type Result, success } from "../term/output.ts";

export interface DummyOptions {
  /** Default "dummy". */
  readonly id?: string;
  readonly version?: number;
  /** Default "average". */
  readonly level?: Level;
  readonly autoCancel?: boolean;
  readonly pool?: Pool;
  readonly timeoutMs?: number;
  /** Goes on when it is told to stop, until the test lets it end. */
  readonly stubborn?: boolean;
}

/** One run of a dummy builder, which the test brings to its end. */
export class DummyRun {
  readonly key: string;
  readonly job: Job;
  readonly context: string;
  readonly result: Promise<Result<string>>;
  #resolve: (result: Result<string>) => void = () => {};

  constructor(key: string, job: Job, context: string, stubborn: boolean) {
    this.key = key;
    this.job = job;
    this.context = context;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const stop = (): void => this.#resolve(failure(problem("CANCELLED", String(job.signal.reason))));
    if (!stubborn) job.signal.addEventListener("abort", stop);
  }

  get id(): JobId {
    return this.job.id;
  }
  succeed(value: string): void {
    this.#resolve(success(value));
  }
  fail(error: Failure): void {
    this.#resolve(failure(error));
  }
}

/** A builder from text to text whose runs the test finishes, one by one. */
export class DummyBuilder implements Builder<string, string, string> {
  readonly id: string;
  readonly version: number;
  readonly level: Level;
  readonly autoCancel: boolean;
  readonly value: Codec<string> = textCodec;
  /** Those that have started (past the threshold and the pool), oldest first. */
  readonly runs: DummyRun[] = [];
  readonly #options: DummyOptions;
  #taken = 0;
  #arrived: (() => void)[] = [];

  constructor(options: DummyOptions = {}) {
    this.#options = options;
    this.id = options.id ?? "dummy";
    this.version = options.version ?? 1;
    this.level = options.level ?? "average";
    this.autoCancel = options.autoCancel ?? false;
  }

  key(key: string): Json {
    return key;
  }
  describe(key: string): string {
    return `${this.id} ${key}`;
  }
  inputs(key: string): Readonly<Record<string, string>> {
    return { key };
  }

  async build(context: string, key: string, job: Job): Promise<Result<string>> {
    const { pool, timeoutMs, stubborn = false } = this.#options;
    const limits = { ...(pool === undefined ? {} : { pool }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const started = await job.start({ level: this.level, ...limits });
    if (!started.ok) return started;
    const run = new DummyRun(key, job, context, stubborn);
    this.runs.push(run);
    for (const arrived of this.#arrived.splice(0)) arrived();
    return run.result;
  }

  /** The next run that has started, in order; waits for it. */
  async nextRun(): Promise<DummyRun> {
    for (;;) {
      const run = this.runs[this.#taken];
      this.#taken += run === undefined ? 0 : 1;
      if (run !== undefined) return run;
      await new Promise<void>((resolve) => void this.#arrived.push(resolve));
    }
  }
}

export const textCodec: Codec<string> = {
  encode: (value) => value,
  decode: (json) => (typeof json === "string" ? json : undefined),
};
