import type { Result } from "../term/output.ts";
import type { Level } from "./level.ts";
import type { Pool } from "./pool.ts";

/** `YYYY-MM-DD/HHMMSS-<operation>-<random>`, UTC. */
export type JobId = string & { readonly __jobId: never };

const JOB_ID = /^\d{4}-\d{2}-\d{2}\/\d{6}-[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/;

/** Whether a text has the shape of a job's id. */
export const isJobId = (text: string): text is JobId => JOB_ID.test(text);

export type JobState = "ready" | "waiting" | "running" | "ok" | "failed" | "cancelled" | "interrupted";

/** Steps done of total, with the name of the step at work. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly label: string;
}

/**
 * One run of one operation, as the operation sees it.
 *
 * Call `start` once, after the arguments are checked and before the first effect; then work, log, and return.
 */
export interface Job {
  readonly id: JobId;
  /** Aborted on cancel and timeout; its `reason` is a sentence. */
  readonly signal: AbortSignal;
  /**
   * Waits for the confirm threshold, then for a place in the pool, then marks the job running.
   * Resolves with a failure (`CANCELLED`) when the job is cancelled before.
   */
  start(options: { readonly level: Level; readonly pool?: Pool; readonly timeoutMs?: number }): Promise<Result<void>>;
  /** One line of ours: prefixed with the time and marked, so that output cannot imitate it. */
  log(line: string): void;
  /** Output of a child or a daemon, as it comes. Secrets are scrubbed before the file. */
  write(output: string | Uint8Array): void;
  progress(progress: Progress): void;
}
