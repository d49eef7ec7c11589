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
  texts,
  whole,
} from "./columns.ts";
import {
  type ApiTokenRow,
  type ApprovalRow,
  type AuditRow,
  type EventRow,
  type HeadRow,
  type InboxRow,
  type IntentRow,
  type IntentState,
  type JobInputRow,
  type JobRow,
  type LastRun,
  type OutboxRow,
  openIntentStates,
  type ResultRow,
  type SessionRow,
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
  headline: nullable(text),
});

/** Not a table of its own: a job with what its inputs were. */
export const lastRunTable = table<LastRun>("job", ["id"], { id: jobId, key: text, state: jobState, inputs: texts });

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
  wantedMs: whole,
  waitsSinceMs: whole,
});

/** So that nothing else waits long for it. */
export const OUTBOX_FORGETS_MAX = 500;

/** Not a table of its own: what it takes out of the outbox. */
const outboxBefore = {
  upsert:
    "DELETE FROM outbox WHERE key IN (SELECT key FROM outbox WHERE next_ms = 0 AND wanted_ms < ? " +
    `AND instr(key, ? || ' ') = 1 ORDER BY wanted_ms LIMIT ${OUTBOX_FORGETS_MAX})`,
  width: 2,
  encode: (row: { readonly kind: string; readonly wantedMs: number }, to: Sql[]): void => {
    to.push(row.wantedMs, row.kind);
  },
};

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

export const approvalTable = table<ApprovalRow>("approval", ["repository", "pull", "hash"], {
  repository: whole,
  pull: whole,
  hash: text,
  who: text,
  via: text,
  atMs: whole,
});

export const inboxTable = table<InboxRow>("inbox", ["delivery"], {
  delivery: text,
  kind: text,
  bodyDigest: text,
  hint: json,
  receivedMs: whole,
  processedMs: nullable(whole),
});

/** Not a table of its own: what it takes out of the inbox. */
const inboxBefore = {
  upsert: "DELETE FROM inbox WHERE processed_ms IS NOT NULL AND received_ms < ?",
  width: 1,
  encode: (row: { readonly receivedMs: number }, to: Sql[]): void => {
    to.push(row.receivedMs);
  },
};

export const sessionTable = table<SessionRow>("session", ["id"], {
  id: whole,
  hash: text,
  identity: json,
  openedMs: whole,
  expiresMs: whole,
});

export const apiTokenTable = table<ApiTokenRow>("api_token", ["name"], {
  name: text,
  hash: text,
  role: text,
  services: json,
  createdMs: whole,
  createdBy: text,
  expiresMs: nullable(whole),
  revokedMs: nullable(whole),
});

const tables = {
  event: eventTable,
  job: jobTable,
  jobInput: jobInputTable,
  result: resultTable,
  head: headTable,
  intent: intentTable,
  outbox: outboxTable,
  outboxBefore,
  setting: settingTable,
  audit: auditTable,
  approval: approvalTable,
  inbox: inboxTable,
  inboxBefore,
  session: sessionTable,
  apiToken: apiTokenTable,
} as const;

const isKind = (name: string): name is Write["put"] => Object.hasOwn(tables, name);
/** Each kind of write has a number, by which it is known on the way to the writer. */
const kinds = Object.keys(tables).filter(isKind);
const numberOf = new Map(kinds.map((put, number) => [put, number]));

/** What the writer needs to know of a kind of write. */
export const writers: readonly { readonly upsert: string; readonly width: number }[] = kinds.map((put) => tables[put]);
/** The number of the kind of write that is a job's. */
export const JOB = numberOf.get("job");

/**
 * Writes, ready to be bound: the number of the kind, its cells, the next number … In one list, since what crosses to
 * another thread costs by the object.
 */
export function encodeWrites(writes: readonly Write[]): readonly Sql[] {
  const to: Sql[] = [];
  for (const write of writes) {
    to.push(numberOf.get(write.put) ?? null);
    encodeRow(write, to);
  }
  return to;
}

function encodeRow(write: Write, to: Sql[]): void {
  switch (write.put) {
    case "event":
      return eventTable.encode(write.row, to);
    case "job":
      return jobTable.encode(write.row, to);
    case "jobInput":
      return jobInputTable.encode(write.row, to);
    case "result":
      return resultTable.encode(write.row, to);
    case "head":
      return headTable.encode(write.row, to);
    case "intent":
      return intentTable.encode(write.row, to);
    case "outbox":
      return outboxTable.encode(write.row, to);
    case "outboxBefore":
      return outboxBefore.encode(write.row, to);
    case "setting":
      return settingTable.encode(write.row, to);
    case "audit":
      return auditTable.encode(write.row, to);
    case "approval":
      return approvalTable.encode(write.row, to);
    case "inbox":
      return inboxTable.encode(write.row, to);
    case "inboxBefore":
      return inboxBefore.encode(write.row, to);
    case "session":
      return sessionTable.encode(write.row, to);
    case "apiToken":
      return apiTokenTable.encode(write.row, to);
    default:
      return write satisfies never;
  }
}
