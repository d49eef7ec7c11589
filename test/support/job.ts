import type { Job, JobId, Progress } from "../../src/engine/job.ts";
import { scrub } from "../../src/engine/secret.ts";
import { success } from "../../src/term/output.ts";

/** A job that starts at once and keeps what it was told. */
export interface TestJob extends Job {
  /** Everything written so far, scrubbed as the real log is. */
  text(): string;
  /** The same before it is scrubbed: what the operation itself wrote. */
  unscrubbed(): string;
  readonly reports: readonly Progress[];
  readonly starts: readonly Parameters<Job["start"]>[0][];
  cancel(reason?: string): void;
  /** Resolves when the log contains `text`; rejects after `deadlineMs` (20 s). */
  saw(text: string | RegExp, deadlineMs?: number): Promise<void>;
}

const isJobId = (text: string): text is JobId => text !== "";

export function testJob(): TestJob {
  const id: string = "2026-11-21/000000-test-0";
  if (!isJobId(id)) throw new Error("no id");
  const abort = new AbortController();
  const reports: Progress[] = [];
  const starts: Parameters<Job["start"]>[0][] = [];
  const listeners = new Set<() => void>();
  let raw = "";
  const add = (text: string): void => {
    raw += text;
    for (const listener of listeners) listener();
  };
  const text = (): string => scrub(raw);
  const found = (wanted: string | RegExp): boolean =>
    typeof wanted === "string" ? text().includes(wanted) : wanted.test(text());
  return {
    id,
    signal: abort.signal,
    start: (options) => {
      starts.push(options);
      return Promise.resolve(success(undefined));
    },
    log: (line) => add(`${line}\n`),
    write: (output) => add(typeof output === "string" ? output : Buffer.from(output).toString("utf8")),
    progress: (progress) => void reports.push(progress),
    text,
    unscrubbed: () => raw,
    reports,
    starts,
    cancel: (reason = "cancelled by the test") => abort.abort(reason),
    saw: (wanted, deadlineMs = 20_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(new Error(`not seen in the log: ${String(wanted)}\n${text()}`));
        }, deadlineMs);
        const look = (): void => {
          if (!found(wanted)) return;
          listeners.delete(look);
          clearTimeout(timer);
          resolve();
        };
        listeners.add(look);
        look();
      }),
  };
}
