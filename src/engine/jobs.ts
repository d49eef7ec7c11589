import { Subject } from "rxjs";
import { type Failure, failure, type Result, success } from "../term/output.ts";
import { digestOf } from "./cache/digest.ts";
import type { Engine } from "./engine.ts";
import { problem } from "./errors.ts";
import { isJobId, type JobId } from "./job.ts";
import type { LogFiles } from "./job-log.ts";
import type { Level } from "./level.ts";
import { PreviousRuns } from "./previous-runs.ts";
import { hex } from "./random.ts";
import { Rebuilders } from "./rebuilders.ts";
import { RunningJob } from "./running-job.ts";
import type { JobRow, LastRun, Write } from "./store/store.ts";

/** What a job is about, told when it is created. */
export interface JobSpec {
  readonly op: string;
  readonly term: string;
  /** Cache key or lane. */
  readonly key: string;
  readonly description: string;
  readonly level: Level;
  /** Readable inputs by name. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Events that led to it; default: those of the step that is being made. */
  readonly events?: readonly number[];
  /** The number of this run of its key, from 1. */
  readonly build: number;
  /** Yields its place in pools to work that somebody waits for. */
  readonly background?: boolean;
  /** Called when its state or progress changes. */
  readonly moved?: () => void;
}

/** All jobs of this process, journalled from birth. */
export class Jobs {
  readonly open = new Map<string, RunningJob>();
  /** Each creation, change and end. */
  readonly changes = new Subject<JobId>();
  readonly #engine: Engine;
  readonly #logs: LogFiles;
  readonly #previous: PreviousRuns;
  #ending: JobRow | undefined;
  /** What Rebuild does, by operation and key: only things that are still part of the pipeline. */
  readonly rebuilders: Rebuilders;

  constructor(engine: Engine, logs: LogFiles) {
    this.#engine = engine;
    this.#logs = logs;
    this.#previous = new PreviousRuns(engine);
    this.rebuilders = new Rebuilders(engine);
  }

  create(spec: JobSpec): RunningJob {
    const nowMs = this.#engine.clock.now();
    const id = jobId(spec.op, nowMs, hex(this.#engine.random, 8));
    const row: JobRow = {
      id,
      op: spec.op,
      term: spec.term,
      key: spec.key,
      description: spec.description,
      state: "ready",
      level: spec.level,
      pool: null,
      log: `job/${id}.log`,
      events: spec.events ?? this.#engine.events.map((event) => event.id),
      build: spec.build,
      createdMs: nowMs,
      startedMs: null,
      endedMs: null,
      error: null,
      note: null,
      headline: null,
    };
    const job = new RunningJob(this.#engine, this.#logs.writer(id), row, spec.background ?? false, () => {
      this.#changed(id);
      spec.moved?.();
    });
    this.open.set(id, job);
    const previous = this.#previous.of(row.term, row.op);
    this.#engine.journal.note({ put: "job", row }, ...this.#inputRows(row, spec.inputs, previous));
    job.log(`${spec.description} (${spec.op}, level ${spec.level})`);
    if (previous?.state === "interrupted" && previous.key === row.key)
      job.log(`Takes up what was interrupted: job ${previous.id}`);
    this.changes.next(id);
    return job;
  }

  #inputRows(row: JobRow, inputs: JobSpec["inputs"], previous: LastRun | undefined): readonly Write[] {
    const digests: Record<string, string> = {};
    const writes = Object.entries(inputs).map(([name, text]): Write => {
      const digest = digestOf(text);
      digests[name] = digest;
      return { put: "jobInput", row: { job: row.id, name, digest, text, changed: previous?.inputs[name] !== digest } };
    });
    this.#previous.begin(row.id, digests);
    return writes;
  }

  /** The row of a job that is open, or has ended just now. */
  newest(id: string): JobRow | undefined {
    return this.open.get(id)?.row ?? (this.#ending?.id === id ? this.#ending : undefined);
  }

  #changed(id: JobId): void {
    const job = this.open.get(id);
    if (job?.ended) {
      this.open.delete(id);
      this.#previous.end(job.row);
    }
    this.#ending = job?.row;
    this.changes.next(id);
    this.#ending = undefined;
    if (job !== undefined) this.#engine.touch(job.row.term);
  }

  async cancel(id: string, who: string, why: string): Promise<Result<void>> {
    const job = this.open.get(id);
    if (job === undefined) return failure(problem("NOT_POSSIBLE", `job ${id} is not open: it has ended or never was`));
    return job.cancel(`cancelled by ${who}${why === "" ? "" : `: ${why}`}`);
  }

  start(id: string, who: string): Result<void> {
    const job = this.open.get(id);
    if (job?.row.state !== "waiting")
      return failure(problem("NOT_POSSIBLE", `job ${id} does not wait for confirmation`));
    job.approve(who);
    return success(undefined);
  }

  /** Waits at most `graceMs` for open jobs to end after they were told to stop; for an orderly exit. */
  async stopAll(reason: string, graceMs: number): Promise<void> {
    const deadline = new AbortController();
    const timer = this.#engine.clock.after(graceMs, () => deadline.abort());
    for (const job of this.open.values()) job.interrupt(reason);
    while (this.open.size > 0 && !deadline.signal.aborted) await this.#engine.clock.sleep(20);
    timer.unsubscribe();
  }

  /** Rows of a dead process that say "open": they become interrupted. */
  async closeOrphans(): Promise<number> {
    const rows = this.#engine.store.queries.unfinishedJobs();
    const endedMs = this.#engine.clock.now();
    const note = "Millrace ended while this job was open; what is still wanted of it is taken up again";
    const error: Failure = problem("INTERRUPTED", "Millrace ended while this job was open");
    const writes = rows.map(
      (row): Write => ({ put: "job", row: { ...row, state: "interrupted", endedMs, note, error } }),
    );
    if (writes.length > 0) await this.#engine.journal.save(...writes);
    this.#previous.forget();
    return rows.length;
  }
}

/** @throws {Error} when an operation has a name that does not fit into an id. */
function jobId(op: string, atMs: number, random: string): JobId {
  const iso = new Date(atMs).toISOString();
  const time = iso.slice(11, 19).replaceAll(":", "");
  const id = `${iso.slice(0, 10)}/${time}-${op}-${random}`;
  if (!isJobId(id)) throw new Error(`no job id can be made of ${id}`);
  return id;
}
