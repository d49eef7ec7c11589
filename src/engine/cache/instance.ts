import type { Subscription } from "rxjs";
import { type Node, Variable } from "../../incr/index.ts";
import { type Answer, NO_METADATA, sameAnswer } from "../../term/answer.ts";
import { active, failed, failure, type Output, ok, type Phase, type Result } from "../../term/output.ts";
import { backoffMs } from "../backoff.ts";
import type { Cause, Engine } from "../engine.ts";
import { problem } from "../errors.ts";
import type { JobId } from "../job.ts";
import type { RunningJob } from "../running-job.ts";
import type { ResultRow } from "../store/store.ts";
import type { Builder } from "./builder.ts";

/** What one use of a key wants of it. */
export interface Use {
  readonly term: string;
  /** How long a result stays good, in milliseconds; then it is made again in the background. */
  readonly validForMs?: number;
}

/** What an instance is of. */
interface About<Context, Key, Value> {
  readonly engine: Engine;
  readonly builder: Builder<Context, Key, Value>;
  readonly context: Context;
  readonly key: Key;
  readonly digest: string;
  readonly term: string;
}

/** Who keeps the instances: told when nobody uses one any more. */
interface Keeper {
  idle(op: string, digest: string, row: ResultRow | undefined): void;
}

/**
 * One key of one builder.
 *
 * State model:
 *   idle      no result, nobody wants one. Leaves memory.
 *   running   a job is at work; it was begun because there was no result, by Rebuild, by expiry or after a retry.
 *   finished  a result (value or failure) is known. A transient failure also has a timer to run again.
 *
 * Wanted (`uses` > 0) and no result → running. No longer wanted while running: an `autoCancel` builder's job is
 * cancelled and its result dropped; others finish and are recorded. Wanted again before the cancelled job has ended:
 * a fresh run follows. While a run only renews a result, the old one is still shown.
 */
export class Instance<Context, Key, Value> {
  readonly answer: Variable<Answer<Value>>;
  uses = 0;
  #context: Context;
  #job: RunningJob | undefined;
  #result: Result<Value> | undefined;
  #row: ResultRow | undefined;
  /** Since when the value could not be renewed, and why. */
  #old: { readonly sinceMs: number; readonly why: string } | undefined;
  #tries = 0;
  /** The job at work was cancelled because nobody wanted it; its result does not count, whoever comes back. */
  #unneeded = false;
  #retry: Subscription | undefined;
  #expiry: Subscription | undefined;
  #validForMs: number | undefined;
  #term: string;
  readonly #engine: Engine;
  readonly #builder: Builder<Context, Key, Value>;
  readonly #key: Key;
  readonly #digest: string;
  readonly #keeper: Keeper;

  constructor(about: About<Context, Key, Value>, stored: ResultRow | undefined, keeper: Keeper) {
    this.#engine = about.engine;
    this.#builder = about.builder;
    this.#context = about.context;
    this.#key = about.key;
    this.#digest = about.digest;
    this.#term = about.term;
    this.#keeper = keeper;
    this.#restore(stored);
    this.answer = new Variable<Answer<Value>>(this.#engine.world.graph, this.#now(), sameAnswer);
  }

  get node(): Node<Answer<Value>> {
    return this.answer;
  }

  #restore(stored: ResultRow | undefined): void {
    if (stored === undefined) return;
    this.#row = stored;
    if (stored.error === null) {
      const value = this.#builder.value.decode(stored.value);
      if (value !== undefined) this.#result = { ok: true, value };
    } else if (stored.error.class === "failed" && !stored.rebuild) this.#result = failure(stored.error);
  }

  /** One more user; call inside a step. */
  acquire(context: Context, use: Use): void {
    this.uses += 1;
    this.#context = context;
    this.#term = use.term;
    if (use.validForMs !== undefined) this.#validForMs = Math.min(use.validForMs, this.#validForMs ?? use.validForMs);
    const lacks = this.#result === undefined || this.#row?.rebuild === true;
    if (lacks && this.#job === undefined && this.#retry === undefined) this.#run(false);
    else this.#watchExpiry();
  }

  /** One user less; called after the step. */
  release(): void {
    this.uses -= 1;
    if (this.uses > 0) return;
    this.#expiry?.unsubscribe();
    this.#retry?.unsubscribe();
    this.#retry = undefined;
    if (this.#job === undefined) this.#leave();
    else if (this.#builder.autoCancel) {
      this.#unneeded = true;
      this.#job.cancel("cancelled: no longer needed");
    }
  }

  #leave(): void {
    this.#keeper.idle(this.#builder.id, this.#digest, this.#row);
  }

  /** Runs again whatever is known; the old value is shown meanwhile. */
  async rebuild(): Promise<Result<JobId>> {
    if (this.#job !== undefined) return failure(problem("NOT_POSSIBLE", `it runs already, as job ${this.#job.id}`));
    const cause: Cause = { kind: "person", subject: this.#term, detail: "Rebuild was asked for" };
    const begun: JobId[] = [];
    // The run begins before anything is awaited, so that a second press in the meantime finds it.
    this.#engine.change(cause, () => begun.push(this.#run(false).id));
    const [job] = begun;
    if (job === undefined) return failure(problem("NOT_POSSIBLE", "Millrace is being stopped"));
    if (this.#row !== undefined) {
      this.#row = { ...this.#row, rebuild: true };
      await this.#engine.journal.save({ put: "result", row: this.#row });
    }
    return { ok: true, value: job };
  }

  #run(background: boolean): RunningJob {
    this.#retry?.unsubscribe();
    this.#retry = undefined;
    this.#expiry?.unsubscribe();
    const job = this.#engine.jobs.create({
      op: this.#builder.id,
      term: this.#term,
      key: this.#digest,
      description: this.#builder.describe(this.#key),
      level: this.#builder.level,
      inputs: this.#builder.inputs(this.#key),
      build: (this.#row?.build ?? 0) + 1,
      background,
      moved: () => this.#engine.change(undefined, () => this.#publish()),
    });
    this.#job = job;
    this.#engine.background(() => this.#work(job));
    this.#publish();
    return job;
  }

  async #work(job: RunningJob): Promise<void> {
    const result = await this.#attempt(job);
    const final = job.verdict(result);
    const error = final.ok ? undefined : final.error;
    const dropped = job.stopped === "interrupted" || this.#unneeded;
    const row = this.#rowAfter(job, final);
    if (dropped) await job.end(error);
    else await job.end(error, { put: "result", row });
    const cause: Cause = { kind: "job", subject: job.id, detail: `${this.#builder.id} ${job.row.state}` };
    this.#engine.change(cause, () => this.#finished(final, dropped ? undefined : row));
  }

  async #attempt(job: RunningJob): Promise<Result<Value>> {
    try {
      return await this.#builder.build(this.#context, this.#key, job);
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      job.log(`Unexpected exception: ${message}`);
      return failure(problem("PROGRAM_FAULT", error instanceof Error ? error.message : String(error)));
    }
  }

  /** What is stored now. A renewal that failed by the outside's fault leaves the known value where it is. */
  #rowAfter(job: RunningJob, result: Result<Value>): ResultRow {
    if (this.#row !== undefined && this.#keeps(result)) return { ...this.#row, build: job.row.build };
    return {
      op: this.#builder.id,
      key: this.#digest,
      job: job.id,
      value: result.ok ? this.#builder.value.encode(result.value) : null,
      error: result.ok ? null : result.error,
      finishedMs: this.#engine.clock.now(),
      build: job.row.build,
      rebuild: false,
    };
  }

  #keeps(result: Result<Value>): boolean {
    return !result.ok && result.error.class === "transient" && this.#result?.ok === true;
  }

  /** A job has ended; `row` is undefined when its result does not count. */
  #finished(result: Result<Value>, row: ResultRow | undefined): void {
    this.#job = undefined;
    this.#unneeded = false;
    if (row !== undefined) this.#take(result, row);
    if (this.uses === 0) this.#leave();
    else if (row === undefined && (result.ok || result.error.code !== "INTERRUPTED")) this.#run(false);
    else if (row !== undefined) this.#plan(result);
    this.#publish();
  }

  #take(result: Result<Value>, row: ResultRow): void {
    const kept = this.#keeps(result);
    this.#row = row;
    if (!kept) this.#result = result;
    if (!kept || result.ok) this.#old = undefined;
    else this.#old = { sinceMs: this.#old?.sinceMs ?? this.#engine.clock.now(), why: result.error.message };
  }

  #plan(result: Result<Value>): void {
    if (result.ok) {
      this.#tries = 0;
      this.#watchExpiry();
    } else if (result.error.class === "transient") {
      const delayMs = backoffMs(this.#tries, this.#engine.random());
      this.#tries += 1;
      if (!this.#result?.ok) this.#result = failure({ ...result.error, retryAtMs: this.#engine.clock.now() + delayMs });
      const cause: Cause = { kind: "timer", subject: this.#term, detail: `tried again after: ${result.error.message}` };
      this.#retry = this.#engine.clock.after(delayMs, () => this.#engine.change(cause, () => this.#again()));
    } else this.#watchExpiry();
  }

  #again(): void {
    if (this.uses > 0 && this.#job === undefined) this.#run(this.#result?.ok ?? false);
  }

  #watchExpiry(): void {
    if (this.#validForMs === undefined || this.#row === undefined) return;
    if (this.#job !== undefined || this.#retry !== undefined) return;
    this.#expiry?.unsubscribe();
    // Up to a tenth earlier, so that what was made together does not expire together.
    const lifeMs = this.#validForMs * (1 - this.#engine.random() / 10);
    const cause: Cause = { kind: "timer", subject: this.#term, detail: "the result has expired" };
    // Never longer than its life, even if the wall clock was wrong when it was made, or is now.
    const leftMs = Math.min(lifeMs, this.#row.finishedMs + lifeMs - this.#engine.clock.now());
    this.#expiry = this.#engine.clock.after(leftMs, () =>
      this.#engine.change(cause, () => {
        if (this.uses > 0 && this.#job === undefined) this.#run(true);
      }),
    );
  }

  #publish(): void {
    this.answer.set(this.#now());
  }

  #now(): Answer<Value> {
    const job = this.#job?.id ?? this.#row?.job;
    const shown = this.#result;
    const updating: Phase | undefined = this.#job === undefined ? undefined : phaseOf(this.#job);
    const output = this.#output(shown, updating);
    if (job === undefined) return { output, metadata: NO_METADATA };
    if (this.#old === undefined && (updating === undefined || !shown?.ok)) return { output, metadata: { job } };
    const metadata = {
      job,
      ...(updating !== undefined && shown?.ok ? { updating } : {}),
      ...(this.#old === undefined ? {} : { staleSinceMs: this.#old.sinceMs, detail: `not renewed: ${this.#old.why}` }),
    };
    return { output, metadata };
  }

  #output(shown: Result<Value> | undefined, phase: Phase | undefined): Output<Value> {
    if (shown?.ok) return ok(shown.value);
    if (phase !== undefined) return active(phase, this.#term);
    return shown === undefined ? active("ready", this.#term) : failed(shown.error, this.#term);
  }
}

function phaseOf(job: RunningJob): Phase {
  return job.row.state === "waiting" ? "waiting" : job.row.state === "ready" ? "ready" : "running";
}
