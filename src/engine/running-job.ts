import type { Subscription } from "rxjs";
import { type Failure, failure, type Result, success } from "../term/output.ts";
import type { Engine } from "./engine.ts";
import { problem } from "./errors.ts";
import type { Job, JobId, JobState, Progress } from "./job.ts";
import type { JobLog } from "./job-log.ts";
import type { Level } from "./level.ts";
import type { Pool } from "./pool.ts";
import type { JobRow, Write } from "./store/store.ts";

/**
 * A job from creation to its end: ready → waiting (threshold) → ready (pool) → running → ok | failed | cancelled.
 *
 * `interrupted` is what an open job becomes when the process ends. `running` is durable before the operation goes on,
 * so whatever a job did has a row that says so.
 */
export class RunningJob implements Job {
  row: JobRow;
  /** Progress while running; memory only. */
  latest: Progress | undefined;
  ended = false;
  /** Why it may not be cancelled (any more); undefined while it may. */
  sealed: string | undefined;
  readonly #engine: Engine;
  readonly #log: JobLog;
  readonly #background: boolean;
  readonly #changed: () => void;
  readonly #abort = new AbortController();
  #outcome: "cancelled" | "interrupted" | undefined;
  #approved = false;
  #wake: (() => void) | undefined;
  #giveBack: (() => void) | undefined;
  #timeout: Subscription | undefined;
  #timedOut = false;

  constructor(engine: Engine, log: JobLog, row: JobRow, background: boolean, changed: () => void) {
    this.#engine = engine;
    this.#log = log;
    this.row = row;
    this.#background = background;
    this.#changed = changed;
  }

  get id(): JobId {
    return this.row.id;
  }
  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  get stopped(): "cancelled" | "interrupted" | undefined {
    return this.#outcome;
  }

  log(line: string): void {
    this.#log.line(line);
  }
  write(output: string | Uint8Array): void {
    this.#log.write(output);
  }
  progress(progress: Progress): void {
    this.latest = progress;
    this.#changed();
  }

  async start(options: {
    readonly level: Level;
    readonly pool?: Pool;
    readonly timeoutMs?: number;
  }): Promise<Result<void>> {
    await this.#confirmed(options.level);
    if (!this.signal.aborted && options.pool !== undefined) await this.#place(options.pool);
    if (this.signal.aborted) return failure(this.stopReason());
    const startedMs = this.#engine.clock.now();
    await this.#move("running", { startedMs, pool: options.pool?.name ?? null });
    if (this.signal.aborted) return failure(this.stopReason());
    const { timeoutMs } = options;
    if (timeoutMs !== undefined) this.#timeout = this.#engine.clock.after(timeoutMs, () => this.#timeUp(timeoutMs));
    return success(undefined);
  }

  async #confirmed(level: Level): Promise<void> {
    const { confirm } = this.#engine;
    const held = (): boolean => !this.#approved && !this.signal.aborted && confirm.holds(level);
    if (!held()) return;
    this.log(`Waiting for the confirm threshold to rise above ${level} (it is ${confirm.threshold})`);
    await this.#move("waiting");
    const watch = confirm.changes.subscribe(() => this.#wake?.());
    while (held()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    watch.unsubscribe();
    this.#wake = undefined;
    if (this.signal.aborted) return;
    this.log(this.#approved ? "Started by hand" : `The confirm threshold is now ${confirm.threshold}`);
    await this.#move("ready");
  }

  async #place(pool: Pool): Promise<void> {
    const waits = pool.used >= pool.capacity;
    if (waits) {
      this.log(`Waiting for a place in pool ${pool.name} (${pool.used} of ${pool.capacity} in use)`);
      this.row = { ...this.row, pool: pool.name };
      this.#changed();
    }
    this.#giveBack = await pool.acquire(this.signal, this.#background ? "low" : "high");
    if (waits && this.#giveBack !== undefined) this.log(`Got a place in pool ${pool.name}`);
  }

  approve(who: string): void {
    this.log(`Start asked for by ${who}`);
    this.#approved = true;
    this.#wake?.();
  }

  /** Ends the job with a reason, unless what it does can no longer be stopped. */
  cancel(reason: string): Result<void> {
    if (this.sealed !== undefined) return failure(problem("NOT_POSSIBLE", this.sealed));
    this.#stop("cancelled", reason);
    return success(undefined);
  }

  /** The process ends: the operation lets go, and the next process takes it up. */
  interrupt(reason: string): void {
    this.#stop("interrupted", reason);
  }

  #stop(outcome: "cancelled" | "interrupted", reason: string): void {
    if (this.signal.aborted) return;
    this.log(reason);
    this.#outcome = outcome;
    this.row = { ...this.row, note: reason };
    this.#abort.abort(reason);
    this.#wake?.();
  }

  #timeUp(timeoutMs: number): void {
    this.log(`Timed out after ${Math.round(timeoutMs / 1000)} s`);
    this.#timedOut = true;
    this.#abort.abort(`timed out after ${Math.round(timeoutMs / 1000)} s`);
  }

  /** Why `signal` is aborted, as a failure. */
  stopReason(): Failure {
    const reason = typeof this.signal.reason === "string" ? this.signal.reason : "stopped";
    if (this.#timedOut) return problem("TIMED_OUT", reason);
    return this.#outcome === "interrupted" ? problem("INTERRUPTED", reason) : problem("CANCELLED", reason);
  }

  /** The result as it counts: what was stopped has failed, whatever the operation says of it. */
  verdict<T>(result: Result<T>): Result<T> {
    const stopped = this.#outcome !== undefined || (this.#timedOut && !result.ok);
    return stopped ? failure(this.stopReason()) : result;
  }

  async #move(state: JobState, more: Partial<JobRow> = {}): Promise<void> {
    this.row = { ...this.row, ...more, state };
    this.#changed();
    await this.#engine.journal.save({ put: "job", row: this.row });
  }

  /** Ends the job; `writes` become durable in the same transaction as its last row. */
  async end(error: Failure | undefined, ...writes: readonly Write[]): Promise<void> {
    this.#timeout?.unsubscribe();
    this.#giveBack?.();
    this.sealed ??= "the job has ended";
    const state = error === undefined ? "ok" : (this.#outcome ?? endOf(error));
    const row: JobRow = { ...this.row, state, error: error ?? null, endedMs: this.#engine.clock.now() };
    this.log(
      error === undefined ? "Job succeeded" : `Job ${state}: ${error.message}${error.hint ? ` — ${error.hint}` : ""}`,
    );
    await this.#log.close();
    const ended = { ...row, headline: await this.#headline(state) };
    await this.#engine.journal.save({ put: "job", row: ended }, ...writes);
    this.row = ended; // shown only now that it is durable
    this.ended = true;
    this.#changed();
  }

  /** Known before it has ended, so that whoever hears of the end can tell why at once. */
  async #headline(state: JobState): Promise<string | null> {
    const { logRules } = this.#engine;
    if (state !== "failed" || !logRules.searches) return null;
    return (await logRules.headlineOf(this.row)) ?? null;
  }
}

/** What was given up, or is followed no longer, is no failure. */
function endOf({ code }: Failure): JobState {
  if (code === "INTERRUPTED") return "interrupted";
  return code === "SUPERSEDED" || code === "CANCELLED" ? "cancelled" : "failed";
}
