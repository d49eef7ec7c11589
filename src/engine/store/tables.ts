import type { JobId, JobState } from "../job.ts";
import { isLevel } from "../level.ts";
import {
  checked,
  failureJson,
  flag,
  json,
  lenient,
  nullable,
  numbers,
  type Sql,
  table,
  text,
  whole,
} from "./columns.ts";
import {
  type AuditRow,
  type EventRow,
  type HeadRow,
  type IntentRow,
  type IntentState,
  type JobInputRow,
  type JobRow,
  type OutboxRow,
  openIntentStates,
  type ResultRow,
  type Write,
} from "./store.ts";

const jobId = checked((id): id is JobId => id !== "");

const jobStates: readonly JobState[] = ["ready", "waiting", "running", "ok", "failed", "cancelled", "interrupted"];
const jobState = checked((state): state is JobState => jobStates.some((known) => known === state));

const intentStates: readonly IntentState[] = [...openIntentStates, "verified", "failed", "rolled-back", "superseded"];
const intentState = checked((state): state is IntentState => intentStates.some((known) => known === state));

export const eventTable = table<EventRow>("event", ["id"], {
  id: whole,
  atMs: whole,
  kind: text,
  subject: text,
  detail: text,
});

export const jobTable = table<JobRow>("job", ["id"], {
  id: jobId,
  op: text,
  term: text,
  key: text,
  description: text,
  state: jobState,
  level: lenient(checked(isLevel)),
  pool: nullable(text),
  log: text,
  events: numbers,
  build: whole,
  createdMs: whole,
  startedMs: nullable(whole),
  endedMs: nullable(whole),
  error: lenient(failureJson),
  note: nullable(text),
});

export const jobInputTable = table<JobInputRow>("job_input", ["job", "name"], {
  job: jobId,
  name: text,
  digest: text,
  text,
  changed: flag,
});

export const resultTable = table<ResultRow>("result", ["op", "key"], {
  op: text,
  key: text,
  job: jobId,
  value: json,
  error: nullable(failureJson), // an unreadable error must not read as a success: such a row is skipped
  finishedMs: whole,
  build: whole,
  rebuild: flag,
});

export const headTable = table<HeadRow>("head", ["key"], {
  key: text,
  value: json,
  generation: whole,
  seenMs: whole,
});

export const intentTable = table<IntentRow>("intent", ["id"], {
  id: text,
  lane: text,
  kind: text,
  term: text,
  job: jobId,
  generation: whole,
  epoch: whole,
  wanted: json,
  digest: text,
  before: nullable(text),
  seenVersion: text,
  state: intentState,
  ref: json,
  evidence: nullable(text),
  createdMs: whole,
  endedMs: nullable(whole),
});

export const outboxTable = table<OutboxRow>("outbox", ["key"], {
  key: text,
  want: json,
  confirmed: json,
  tries: whole,
  nextMs: whole,
});

export const settingTable = table<Extract<Write, { put: "setting" }>["row"]>("setting", ["name"], {
  name: text,
  value: json,
});

export const auditTable = table<AuditRow>("audit", ["id"], {
  id: whole,
  atMs: whole,
  who: text,
  what: text,
  subject: text,
  detail: text,
});

/** Statement of each kind of write. */
export const upserts: Readonly<Record<Write["put"], string>> = {
  event: eventTable.upsert,
  job: jobTable.upsert,
  jobInput: jobInputTable.upsert,
  result: resultTable.upsert,
  head: headTable.upsert,
  intent: intentTable.upsert,
  outbox: outboxTable.upsert,
  setting: settingTable.upsert,
  audit: auditTable.upsert,
};

/** One write, ready to be bound: plain cells that may cross to another thread. */
export interface EncodedWrite {
  readonly put: Write["put"];
  readonly cells: readonly Sql[];
}

export function encodeWrite(write: Write): EncodedWrite {
  switch (write.put) {
    case "event":
      return { put: write.put, cells: eventTable.encode(write.row) };
    case "job":
      return { put: write.put, cells: jobTable.encode(write.row) };
    case "jobInput":
      return { put: write.put, cells: jobInputTable.encode(write.row) };
    case "result":
      return { put: write.put, cells: resultTable.encode(write.row) };
    case "head":
      return { put: write.put, cells: headTable.encode(write.row) };
    case "intent":
      return { put: write.put, cells: intentTable.encode(write.row) };
    case "outbox":
      return { put: write.put, cells: outboxTable.encode(write.row) };
    case "setting":
      return { put: write.put, cells: settingTable.encode(write.row) };
    case "audit":
      return { put: write.put, cells: auditTable.encode(write.row) };
    default:
      return write satisfies never;
  }
}
