import type { Failure, Result } from "../../term/output.ts";
import { backoffMs } from "../backoff.ts";
import type { Engine } from "../engine.ts";
import { problem } from "../errors.ts";
import type { JobId } from "../job.ts";
import type { RunningJob } from "../running-job.ts";
import type { IntentRow } from "../store/store.ts";
import { type Ended, endingFailure, troubleOf } from "./intents.ts";
import { adoptSeen, forceWanted } from "./lane-by-hand.ts";
import { LaneFace } from "./lane-face.ts";
import { LaneJob } from "./lane-job.ts";
import { LaneState } from "./lane-state.ts";
import { type Act, type Ending, nextAct } from "./machine.ts";
import type { Applied, Lane, Observed, TargetKind } from "./target.ts";
import { Waker } from "./waker.ts";
import type { Wanted } from "./wants.ts";

/** How long until a target is looked at again, in milliseconds: at rest, when something is wrong, while it moves. */
const REST_MS = 60_000;
const TROUBLE_MS = 15_000;
const MOVING_MS = 1_000;

export interface LaneOptions {
  /** Key of the deploy term. */
  readonly term: string;
  /** The flavour. */
  readonly owner: string;
  /** Re-reads the head that the wanted value came from; a failure delays the deploy. */
  readonly fresh: () => Promise<Result<unknown>>;
}

/**
 * The queue of one target, at most one intent long.
 *
 * `nextAct` (machine.ts) decides; this class carries out: it observes, commits intents, writes through the target
 * kind, and shows the state. The newest wanted value runs next, the ones between are skipped.
 */
export class TargetLane<Spec, W, Seen extends Observed, Ref> {
  readonly name: Lane;
  readonly kind: TargetKind<Spec, W, Seen, Ref>;
  readonly spec: Spec;
  readonly options: LaneOptions;
  #tries = 0;
  #stopped = false;
  readonly #state: LaneState<Spec, W, Seen, Ref>;
  readonly #job: LaneJob;
  readonly #waker: Waker;
  readonly #face: LaneFace;
  readonly #engine: Engine;
  readonly #rebuilder: string;
  /** For looks that nobody cancels. */
  readonly #patient = new AbortController().signal;

  constructor(engine: Engine, kind: TargetKind<Spec, W, Seen, Ref>, spec: Spec, options: LaneOptions) {
    this.#engine = engine;
    this.kind = kind;
    this.spec = spec;
    this.options = options;
    this.name = kind.lane(spec);
    this.#state = new LaneState(engine, kind, { lane: this.name, ...options });
    const about = {
      op: kind.kind,
      term: options.term,
      key: this.name,
      description: kind.describe(spec),
      level: kind.level,
    };
    this.#job = new LaneJob(engine, about, () => this.#showJob());
    this.#waker = new Waker(engine.clock);
    this.#face = new LaneFace(engine, options.term, () => this.#job.id ?? this.last?.job);
    this.#rebuilder = `${kind.kind} ${this.name}`;
    engine.jobs.rebuilders.set(this.#rebuilder, () => this.force());
  }

  get lastSeen(): Seen | undefined {
    return this.#state.lastSeen;
  }
  get answer(): LaneFace["answer"] {
    return this.#face.answer;
  }
  get last(): Ended | undefined {
    return this.#state.intents.last;
  }
  get want(): Wanted<W> | undefined {
    return this.#state.wants.current;
  }
  get asleep(): boolean {
    return this.#waker.asleep;
  }
  /** Why there is nothing to move; undefined when there is, or it is not known. */
  missing(): Failure | undefined {
    const { kind, spec, lastSeen } = this;
    if (lastSeen === undefined || lastSeen.exists) return undefined;
    return kind.missing?.(spec, lastSeen) ?? problem("NO_TARGET", `there is no ${kind.describe(spec)}`);
  }
  get openJob(): JobId | undefined {
    return this.#job.id;
  }

  start(): void {
    this.#engine.background(async () => {
      while (!this.#stopped) await this.#next();
      await this.#job.end(problem("INTERRUPTED", `${this.options.term} is not followed any more`));
    });
  }

  /** The process or the term ends: what was sent is not followed any more, what was not is not sent. */
  stop(): void {
    this.#stopped = true;
    this.#engine.jobs.rebuilders.delete(this.#rebuilder);
    this.#job.leave();
    this.#waker.wake();
  }

  async #next(): Promise<void> {
    this.#waker.attend();
    const job = this.#job.current;
    if (job?.stopped === undefined) return this.#carryOut(nextAct(this.#state.situation()));
    return this.#jobStopped(job, job.stopReason());
  }

  /** Sets the newest wanted value; undefined while it is not known. Call inside a step. */
  wanted(value: W | undefined): void {
    const events = this.#engine.events;
    this.#state.wants.set(
      value,
      events.map(({ id }) => id),
      this.#state.intents.newest,
    );
    this.#job.supersede(this.want?.generation);
    this.#waker.wake();
  }

  /** Rebuild: the wanted value is applied (again), as a new generation. */
  async force(): Promise<Result<JobId>> {
    return forceWanted(this.#engine, this.#state, this.#job, this.#waker, this.options.term);
  }

  /** Accepts what is on a held target: its receipt becomes the last one we know, our numbers are raised above it. */
  async adopt(who: string): Promise<Result<void>> {
    const adopted = await adoptSeen(this.#engine, this.#state, this.options.term, who);
    this.#waker.wake();
    return adopted;
  }

  async #carryOut(act: Act): Promise<void> {
    switch (act.act) {
      case "observe":
        return this.#observe();
      case "rest":
        return act.why === "as wanted" ? this.#restAsWanted() : this.#restUnwanted();
      case "wait":
        return this.#wait(act.why);
      case "missing":
        return this.#trouble(this.missing() ?? problem("NO_TARGET", `there is no ${this.name}`));
      case "hold":
      case "drifted":
      case "give-up":
        return this.#trouble(troubleOf(act, this.kind.describe(this.spec)));
      case "clear":
        return this.#clear(act.generation);
      case "plan":
        return this.#plan();
      case "apply":
      case "fence":
        return this.#write(act.act);
      case "adopt":
        return this.#adoptWrite();
      case "settle":
        return this.#settle();
      case "end":
        return this.#end(act.state, act.evidence);
    }
  }

  async #observe(): Promise<void> {
    const seen = await this.kind.observe(this.spec, this.#job.current?.signal ?? this.#patient);
    if (seen.ok) {
      this.#tries = 0;
      this.#state.seen = seen.value;
    } else if (this.#job.current?.stopped === undefined) await this.#unreachable(seen.error);
  }

  async #unreachable(error: Failure): Promise<void> {
    const delayMs = Math.min(TROUBLE_MS, backoffMs(this.#tries, this.#engine.random()));
    this.#tries += 1;
    this.#job.log(`${error.message}; trying again`);
    this.#face.failed({ ...error, retryAtMs: this.#engine.clock.now() + delayMs });
    await this.#sleep(delayMs);
  }

  async #restAsWanted(): Promise<void> {
    const { want, last } = this;
    if (want === undefined) return;
    const running = this.#state.seen?.running ?? "";
    const verified = last?.state === "verified" && last.generation === want.generation;
    const equal = `not rolled out: the content is equal, ${running} runs already`;
    this.#job.log(`Cut off: ${equal}`);
    await this.#endJob(undefined);
    const detail = verified && want.again === undefined ? last.evidence : equal;
    this.#face.ok({ running, generation: want.generation }, detail, want.events);
    await this.#sleep(REST_MS);
  }

  async #restUnwanted(): Promise<void> {
    await this.#endJob(problem("SUPERSEDED", "it is not wanted any more"));
    if (this.#state.lastSeen === undefined) await this.#observe();
    await this.#sleep(REST_MS);
  }

  async #wait(why: string): Promise<void> {
    this.#face.active("running", why);
    await this.#sleep(MOVING_MS);
  }

  /** Shown as failed; looked at again after a while, since a person may mend it on the target. */
  async #trouble(error: Failure): Promise<void> {
    await this.#endJob(error);
    this.#face.failed(error);
    await this.#sleep(TROUBLE_MS);
  }

  /** Threshold, then the head: only the newest wanted value of a head that was just read may act. */
  async #clear(generation: number): Promise<void> {
    const { want } = this;
    if (want?.generation !== generation) return;
    if (this.#job.current !== undefined && this.#job.generation !== generation)
      await this.#endJob(problem("SUPERSEDED", "a newer value is wanted"));
    const job = this.#job.for({ ...want, ...this.#state.resumes() });
    const started = await this.#job.started(job, this.kind.level);
    if (!started.ok) return this.#jobStopped(job, started.error);
    const fresh = await this.options.fresh();
    this.#state.seen = undefined;
    if (fresh.ok) this.#state.cleared = this.want?.generation === generation ? generation : undefined;
    else
      await this.#unreachable({
        ...fresh.error,
        message: `not deployed while the head cannot be read: ${fresh.error.message}`,
      });
  }

  /** The job was stopped before anything was sent. */
  async #jobStopped(job: RunningJob, error: Failure): Promise<void> {
    const { want } = this;
    if (this.#job.interrupted) return this.#interrupted();
    if (want === undefined) return this.#endJob(error);
    if (this.#stopped || want.generation !== this.#job.generation)
      return this.#endJob(problem("SUPERSEDED", "a newer value is wanted"));
    if (this.#state.intents.row !== undefined) return this.#trouble(error);
    // Cancelled by a person: recorded, so that it is not tried again after a restart either.
    const row: IntentRow = { ...this.#state.newRow(want, job.id), wanted: this.kind.wanted.encode(want.value) };
    await this.#close({ ...row, state: "failed", evidence: job.row.note ?? error.message }, "failed", error);
  }

  async #plan(): Promise<void> {
    const { want } = this;
    const job = this.#job.current;
    if (want === undefined || this.#state.seen === undefined || job === undefined) return;
    this.#job.seal();
    for (const { field, before, after } of this.kind.plan(this.spec, this.#state.seen, want.value))
      job.log(`${field}: ${before} → ${after}`);
    const row = this.#state.newRow(want, job.id);
    await this.#state.intents.save({
      ...row,
      wanted: this.kind.wanted.encode(want.value),
      seenVersion: this.#state.seen.version,
    });
    this.#state.intents.clear = true;
  }

  /** The write that moves the target, or the one that only makes earlier writes fail. */
  async #write(verb: "apply" | "fence"): Promise<void> {
    const { row } = this.#state.intents;
    const job = this.#job.current;
    const seen = this.#state.seen;
    const wanted = row === undefined ? undefined : this.kind.wanted.decode(row.wanted);
    if (row === undefined || job === undefined || seen === undefined) return;
    if (wanted === undefined)
      return this.#end("failed", "the recorded value cannot be read: an older version wrote it");
    this.#job.seal();
    // Durable first; what is wanted may have changed by then, so that it is decided anew.
    if (seen.version !== row.seenVersion) return this.#state.intents.save({ ...row, seenVersion: seen.version });
    this.#state.seen = undefined;
    const stamp = this.#state.stamp(row.id, row);
    const { kind, spec } = this;
    const applied =
      verb === "apply" ? await kind.apply(spec, seen, wanted, stamp, job) : await kind.fence(spec, seen, stamp, job);
    if (verb === "apply" || applied.state !== "applied") return this.#written(row, applied);
    job.log("Fenced: whatever an earlier run sent fails from now on");
    this.#state.intents.clear = true;
  }

  async #written(row: IntentRow, applied: Applied<Ref>): Promise<void> {
    switch (applied.state) {
      case "applied":
        return this.#state.intents.save({ ...row, state: "applied", ref: this.kind.ref.encode(applied.ref) });
      case "conflict":
        this.#job.log(`Somebody else wrote in between (${applied.detail}): looking again`);
        return this.#sleep(MOVING_MS);
      case "refused":
        return this.#end("failed", applied.error.message, applied.error);
      case "unknown":
        this.#job.log(`Whether the change is in is not known (${applied.detail}): looking again`);
        this.#state.intents.clear = false;
        await this.#state.intents.save({ ...row, state: "unknown" });
        return this.#sleep(MOVING_MS);
    }
  }

  /** A write of this or an earlier process is found on the target: it is followed, not repeated. */
  async #adoptWrite(): Promise<void> {
    const { row } = this.#state.intents;
    if (row === undefined || this.#state.seen === undefined) return;
    const job = await this.#follow(row);
    job.log("The change is found on the target: it is followed, not repeated");
    await this.#state.intents.save({ ...row, state: "applied", ref: this.#state.seen.ref });
  }

  /** The job that follows an open intent; a new one after a restart. It changes nothing, so no threshold holds it. */
  async #follow(row: IntentRow): Promise<RunningJob> {
    const running = this.#state.runningOf(row);
    const events = this.#engine.store.queries.job(row.job)?.events ?? [];
    const job = this.#job.for({ generation: row.generation, running, events, ...this.#state.resumes() });
    this.#job.seal();
    await this.#job.started(job, "harmless");
    return job;
  }

  async #settle(): Promise<void> {
    const { row } = this.#state.intents;
    if (row === undefined) return;
    const job = await this.#follow(row);
    const ref = this.kind.ref.decode(row.ref);
    if (ref === undefined)
      return this.#end("failed", "the record of the change cannot be read: an older version wrote it");
    const settled = await this.kind.settle(this.spec, ref, job);
    this.#state.seen = undefined;
    if (this.#job.interrupted) return;
    if (settled.state === "unreachable") return this.#unreachable(settled.error);
    return this.#end(settled.state === "healthy" ? "verified" : settled.state, settled.evidence);
  }

  /** The process ends: the intent stays open, and the next process takes it up. */
  async #interrupted(): Promise<void> {
    this.#stopped = true;
    await this.#job.end(
      problem("INTERRUPTED", "Millrace ends; what was sent goes on and is followed after the restart"),
    );
  }

  async #end(state: Ending["state"], evidence: string, error?: Failure): Promise<void> {
    const { row } = this.#state.intents;
    if (row !== undefined) await this.#close({ ...row, state, evidence }, state, error);
  }

  /** Commits an ending and that of its job in one transaction. */
  async #close(row: IntentRow, state: Ending["state"], error?: Failure): Promise<void> {
    const ended: IntentRow = { ...row, endedMs: this.#engine.clock.now() };
    const evidence = row.evidence ?? "";
    const reason = state === "verified" ? undefined : (error ?? endingFailure({ state, evidence }));
    await this.#job.end(reason, { put: "intent", row: ended });
    this.#state.intents.ended(ended, state);
    this.#state.wants.tried(row.generation);
    this.#state.cleared = undefined;
    this.#state.seen = undefined;
    this.#face.tell({ kind: "job", subject: row.job, detail: `deploy ${state}: ${evidence.split("\n")[0] ?? ""}` });
  }

  /** What one job was cleared for, the next is not. */
  async #endJob(error: Failure | undefined): Promise<void> {
    this.#state.cleared = undefined;
    await this.#job.end(error);
  }

  #showJob(): void {
    const state = this.#job.current?.row.state;
    if (state !== undefined) this.#face.active(state === "waiting" || state === "ready" ? state : "running");
  }

  async #sleep(forMs: number): Promise<void> {
    await this.#waker.sleep(forMs);
    this.#state.seen = undefined;
  }
}
