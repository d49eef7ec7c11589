import type { Observable, Subscription } from "rxjs";
import { Variable } from "../incr/index.ts";
import { active, type Failure, failed, failure, type Output, ok, type Result, success } from "../term/output.ts";
import { type Answer, answering, type Box, sameAnswer, type Term } from "../term/term.ts";
import { askedWaitMs } from "./asked-wait.ts";
import { backoffMs } from "./backoff.ts";
import type { Cause, Engine } from "./engine.ts";
import { problem } from "./errors.ts";
import type { Codec } from "./json.ts";

const RETRY_MS_MIN = 1_000;

/** A value outside that is watched and read again. */
export interface MonitorSpec<T> {
  /** Stable over restarts: the last good value is kept under it. */
  readonly key: string;
  /** Fails transiently when the outside does not answer; that is never taken for "nothing there". */
  read(signal: AbortSignal): Promise<Result<T>>;
  /** Calls `stale` when a change was noticed; returns how to stop watching. `kind`: of the event, default `watch`. */
  watch?(stale: (detail: string, kind?: string) => void): () => void;
  /** Read again after this time, spread by a tenth so that not all come at once, in milliseconds. */
  readonly everyMs: number;
  readonly value: Codec<T>;
  equal(before: T, after: T): boolean;
  /** One sentence about a change, for "why did it run": "main moved from 1a2b to 3c4d". */
  describe(before: T | undefined, after: T): string;
  /** Told of each change after the first value, with the kind of the event that led to it being read. */
  changed?(before: T, after: T, kind: string): void;
  /** Why a part of what was read is older than the rest: shown, and the value counts as stale. Default: nothing is. */
  outdated?(value: T): Failure | undefined;
}

/**
 * Keeps the last good value of something outside.
 *
 * A failed read keeps the value, marks it as stale since then, and is tried again with back-off. At most one read is
 * under way; a mark that comes during a read causes exactly one more.
 */
export class Monitor<T> {
  readonly answer: Variable<Answer<T>>;
  readonly #engine: Engine;
  readonly #spec: MonitorSpec<T>;
  readonly #term: string;
  #good: { readonly value: T } | undefined;
  #generation = 0;
  #staleSinceMs: number | undefined;
  #error: Failure | undefined;
  #outdated: Failure | undefined;
  #output: Output<T>;
  #tries = 0;
  /** Until the next read. */
  #waitMs = 0;
  #reading: Promise<void> | undefined;
  #again = false;
  #hint: Cause | undefined;
  #timer: Subscription | undefined;
  #stopWatching: (() => void) | undefined;
  readonly #abort = new AbortController();

  constructor(engine: Engine, spec: MonitorSpec<T>, term: string) {
    this.#engine = engine;
    this.#spec = spec;
    this.#term = term;
    const stored = engine.heads.get(spec.key);
    const value = stored === undefined ? undefined : spec.value.decode(stored.value);
    this.#generation = stored?.generation ?? 0;
    if (stored !== undefined && value !== undefined) {
      this.#good = { value };
      this.#staleSinceMs = stored.seenMs; // known from before the restart, not read yet
    }
    this.#output = active("running", term);
    this.answer = new Variable<Answer<T>>(engine.world.graph, this.#now(), sameAnswer);
  }

  start(): void {
    if (this.#abort.signal.aborted) return;
    this.#stopWatching = this.#spec.watch?.((detail, kind = "watch") =>
      this.stale({ kind, subject: this.#spec.key, detail }),
    );
    this.stale({ kind: "restart", subject: this.#spec.key, detail: "read at the start" });
  }

  stop(): void {
    this.#abort.abort("no longer watched");
    this.#stopWatching?.();
    this.#timer?.unsubscribe();
  }

  /** The value may have changed: it is read again now. */
  stale(hint: Cause): void {
    if (this.#abort.signal.aborted) return;
    this.#hint = hint;
    if (this.#reading !== undefined) {
      this.#again = true;
      return;
    }
    this.#begin();
  }

  get reading(): boolean {
    return this.#reading !== undefined;
  }

  /** Reads once more and says whether that went well; the step with the news has been made by then. */
  async refresh(): Promise<Result<T>> {
    const { signal } = this.#abort;
    if (this.#reading !== undefined) this.#again = true;
    else if (!signal.aborted) this.#begin();
    while (this.#reading !== undefined) await this.#reading;
    if (signal.aborted) return failure(problem("CANCELLED", "it is not watched any more"));
    if (this.#good !== undefined && this.#error === undefined) return success(this.#good.value);
    return failure(this.#error ?? problem("CANCELLED", "it was not read"));
  }

  #begin(): void {
    this.#timer?.unsubscribe();
    this.#reading = this.#read();
    this.#engine.background(() => this.#reading ?? Promise.resolve());
  }

  async #read(): Promise<void> {
    const { signal } = this.#abort;
    do {
      this.#again = false;
      const result = await this.#attempt();
      if (signal.aborted) break;
      if (result.ok) await this.#took(result.value);
      else this.#missed(result.error);
    } while (this.#again && !signal.aborted);
    this.#reading = undefined;
    this.#schedule();
  }

  /** An exception is a fault of the program, but no reason never to read again. */
  async #attempt(): Promise<Result<T>> {
    try {
      return await this.#spec.read(this.#abort.signal);
    } catch (error) {
      return failure(problem("PROGRAM_FAULT", error instanceof Error ? error.message : String(error)));
    }
  }

  async #took(value: T): Promise<void> {
    const before = this.#good?.value;
    const changed = before === undefined || !this.#spec.equal(before, value);
    this.#tries = 0;
    this.#error = undefined;
    this.#outdated = this.#spec.outdated?.(value);
    const nowMs = this.#engine.clock.now();
    this.#staleSinceMs = this.#outdated && (this.#staleSinceMs ?? nowMs);
    const sweepMs = this.#spec.everyMs * (0.9 + this.#engine.random() / 5);
    const askedMs = this.#outdated?.retryAtMs === undefined ? sweepMs : this.#outdated.retryAtMs - nowMs;
    this.#waitMs = Math.min(sweepMs, Math.max(askedMs, RETRY_MS_MIN));
    this.#good = changed ? { value } : this.#good;
    this.#output = ok(this.#good?.value ?? value);
    if (changed) {
      this.#generation += 1;
      const { key } = this.#spec;
      const row = {
        key,
        value: this.#spec.value.encode(value),
        generation: this.#generation,
        seenMs: this.#engine.clock.now(),
      };
      this.#engine.heads.put(row);
    }
    const cause = changed ? { ...(this.#hint ?? this.#poll()), detail: this.#spec.describe(before, value) } : undefined;
    this.#hint = undefined;
    if (cause !== undefined && before !== undefined) this.#spec.changed?.(before, value, cause.kind);
    this.#show(cause);
    await Promise.resolve(); // the step is made before whoever waits goes on
  }

  #missed(error: Failure): void {
    this.#error = error;
    this.#staleSinceMs ??= this.#engine.clock.now();
    const nowMs = this.#engine.clock.now();
    this.#waitMs = Math.max(backoffMs(this.#tries, this.#engine.random()), askedWaitMs(error.retryAtMs, nowMs));
    this.#tries += 1;
    const retryAtMs = nowMs + this.#waitMs;
    this.#output = this.#good === undefined ? failed({ ...error, retryAtMs }, this.#term) : ok(this.#good.value);
    this.#show(undefined);
  }

  /** A read that found nothing new is no step. */
  #show(cause: Cause | undefined): void {
    const next = this.#now();
    if (cause !== undefined || !sameAnswer(this.answer.latest, next))
      this.#engine.change(cause, () => this.answer.set(next));
  }

  #poll(): Cause {
    return { kind: "poll", subject: this.#spec.key, detail: "" };
  }

  #schedule(): void {
    if (this.#abort.signal.aborted) return;
    this.#timer = this.#engine.clock.after(this.#waitMs, () => this.#begin());
  }

  #now(): Answer<T> {
    const { message } = this.#error ?? this.#outdated ?? {};
    return {
      output: this.#output,
      metadata: {
        ...(this.#staleSinceMs === undefined || this.#output.state !== "ok"
          ? {}
          : { staleSinceMs: this.#staleSinceMs }),
        ...(message === undefined ? {} : { detail: message }),
      },
    };
  }
}

/** A monitor as a term. It starts at once and stops with the scope that is being made. */
export function monitor<T>(
  engine: Engine,
  box: Box,
  spec: MonitorSpec<T>,
): { readonly term: Term<T>; readonly monitor: Monitor<T> } {
  const watched = new Monitor(engine, spec, box.key);
  engine.world.graph.scope.onRelease(() => watched.stop());
  queueMicrotask(() => watched.start());
  return { term: answering(engine.world, box, watched.answer), monitor: watched };
}

/**
 * Any Observable as an input: active before its first value, then ok with the newest. Its error keeps the last value
 * as stale; its completion keeps it.
 */
export function fromObservable<T>(engine: Engine, box: Box, source: Observable<T>): Term<T> {
  const start: Answer<T> = { output: active("running", box.key), metadata: {} };
  const answer = new Variable<Answer<T>>(engine.world.graph, start, sameAnswer);
  const update = (detail: string, next: Answer<T>): void =>
    engine.change({ kind: "watch", subject: box.key, detail }, () => answer.set(next));
  const onError = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    const { output } = answer.latest;
    const kept: Answer<T> =
      output.state === "ok"
        ? { output, metadata: { staleSinceMs: engine.clock.now(), detail: message } }
        : { output: failed({ code: "INPUT_ENDED", message, class: "failed" }, box.key), metadata: {} };
    update(message, kept);
  };
  const subscription = source.subscribe({
    next: (value) => update("a new value came", { output: ok(value), metadata: {} }),
    error: onError,
  });
  engine.world.graph.scope.onRelease(() => subscription.unsubscribe());
  return answering(engine.world, box, answer);
}
