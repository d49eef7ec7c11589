import type { Failure } from "../../term/output.ts";
import type { JobId, JobState } from "../job.ts";
import type { Json } from "../json.ts";
import type { Level } from "../level.ts";

/** Times are milliseconds since 1970 and end in `Ms`; ids of events and audit entries grow. */
export interface EventRow {
  readonly id: number;
  readonly atMs: number;
  /** webhook · poll · watch · timer · person · restart · drift · job */
  readonly kind: string;
  /** What it was about: a repository and ref, a term key, a job id. */
  readonly subject: string;
  /** One sentence for people. */
  readonly detail: string;
}

export interface JobRow {
  readonly id: JobId;
  readonly op: string;
  readonly term: string;
  /** Cache key (SHA-256) or lane. */
  readonly key: string;
  readonly description: string;
  readonly state: JobState;
  readonly level: Level | null;
  readonly pool: string | null;
  /** File of the log below the state directory. */
  readonly log: string;
  readonly events: readonly number[];
  /** 1 for the first run of its key, and so on. */
  readonly build: number;
  readonly createdMs: number;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  readonly error: Failure | null;
  /** Who cancelled it and why, or why it was interrupted. */
  readonly note: string | null;
  /** The line of its log that tells best why it failed, when a log rule found one. */
  readonly headline: string | null;
}

export interface JobInputRow {
  readonly job: JobId;
  readonly name: string;
  readonly digest: string;
  readonly text: string;
  /** Whether it differs from the previous run of the same term. */
  readonly changed: boolean;
}

export interface ResultRow {
  readonly op: string;
  readonly key: string;
  readonly job: JobId;
  /** The value when it went well, else null. */
  readonly value: Json;
  readonly error: Failure | null;
  readonly finishedMs: number;
  readonly build: number;
  /** Asked to run again; set by Rebuild, cleared by the next result. */
  readonly rebuild: boolean;
}

/** The last good value of a monitor; `generation` grows by one at each observed change. */
export interface HeadRow {
  readonly key: string;
  readonly value: Json;
  readonly generation: number;
  readonly seenMs: number;
}

export const openIntentStates = ["planned", "applied", "unknown"] as const;
export type IntentState = (typeof openIntentStates)[number] | "verified" | "failed" | "rolled-back" | "superseded";

export interface IntentRow {
  readonly id: string;
  readonly lane: string;
  readonly kind: string;
  readonly term: string;
  readonly job: JobId;
  readonly generation: number;
  readonly epoch: number;
  readonly wanted: Json;
  readonly digest: string;
  /** What was running on the target before, for rollback and for people. */
  readonly before: string | null;
  /** The target's version before the last write of this intent: a roll-back that came after it is of this intent. */
  readonly seenVersion: string;
  readonly state: IntentState;
  readonly ref: Json;
  readonly evidence: string | null;
  readonly createdMs: number;
  readonly endedMs: number | null;
}

/** Newest wanted value per key; sent until confirmed. */
export interface OutboxRow {
  readonly key: string;
  readonly want: Json;
  readonly confirmed: Json;
  readonly tries: number;
  /** When there is something to do next; 0: nothing, it is at rest. */
  readonly nextMs: number;
  /** When somebody was last known to want it. */
  readonly wantedMs: number;
  /** Since when what is wanted has not been confirmed; 0: it is. */
  readonly waitsSinceMs: number;
}

export interface AuditRow {
  readonly id: number;
  readonly atMs: number;
  readonly who: string;
  /** cancel · rebuild · start · confirm · adopt · refused … */
  readonly what: string;
  readonly subject: string;
  readonly detail: string;
}

/** Somebody allowed this very commit of a pull request to be built. A later commit of it needs another one. */
export interface ApprovalRow {
  /** The repository's number at its forge. */
  readonly repository: number;
  readonly pull: number;
  readonly hash: string;
  readonly who: string;
  /** button · comment · permission (the author may write there). */
  readonly via: string;
  readonly atMs: number;
}

/** Something that a forge told us. */
export interface InboxRow {
  /** The forge and its name of the delivery: told again, it has the same. */
  readonly delivery: string;
  /** push · pull_request · …, as the forge calls it. */
  readonly kind: string;
  /** SHA-256 of the body. */
  readonly bodyDigest: string;
  /** What it comes down to; null: nothing for us. */
  readonly hint: Json;
  readonly receivedMs: number;
  /** Null: not acted on yet; the next process does it. */
  readonly processedMs: number | null;
}

/** Somebody is signed in. A row whose session is over is used again: that is what its number is for. */
export interface SessionRow {
  readonly id: number;
  /** SHA-256 of what the browser holds; "" when it is over. */
  readonly hash: string;
  readonly identity: Json;
  readonly openedMs: number;
  readonly expiresMs: number;
}

/** A token for programs. A name that was revoked may be given again. */
export interface ApiTokenRow {
  readonly name: string;
  /** SHA-256 of the token. */
  readonly hash: string;
  /** viewer · builder · admin */
  readonly role: string;
  /** Names of the services that it is for; null: all. */
  readonly services: Json;
  readonly createdMs: number;
  readonly createdBy: string;
  readonly expiresMs: number | null;
  readonly revokedMs: number | null;
}

export interface AuditFilter {
  /** As it was recorded, or without a person's number. */
  readonly who?: string;
  readonly what?: string;
  /** Only entries older than this one (paging). */
  readonly before?: number;
}

/** One change of the database. A batch of them is one transaction. */
export type Write =
  | { readonly put: "event"; readonly row: EventRow }
  | { readonly put: "job"; readonly row: JobRow }
  | { readonly put: "jobInput"; readonly row: JobInputRow }
  | { readonly put: "result"; readonly row: ResultRow }
  | { readonly put: "head"; readonly row: HeadRow }
  | { readonly put: "intent"; readonly row: IntentRow }
  | { readonly put: "outbox"; readonly row: OutboxRow }
  /** Takes out rows of a sender that are at rest and that nobody has wanted since, the oldest `OUTBOX_FORGETS_MAX`. */
  | { readonly put: "outboxBefore"; readonly row: { readonly kind: string; readonly wantedMs: number } }
  | { readonly put: "setting"; readonly row: { readonly name: string; readonly value: Json } }
  | { readonly put: "audit"; readonly row: AuditRow }
  | { readonly put: "approval"; readonly row: ApprovalRow }
  | { readonly put: "inbox"; readonly row: InboxRow }
  /** Takes out what was acted on and is older. */
  | { readonly put: "inboxBefore"; readonly row: { readonly receivedMs: number } }
  | { readonly put: "session"; readonly row: SessionRow }
  | { readonly put: "apiToken"; readonly row: ApiTokenRow };

/** Ends a job or moves an intent on: what must be recorded even when the disk is full, from a reserve. */
export function isClosing(write: Write): boolean {
  if (write.put === "job") return write.row.endedMs !== null;
  return write.put === "intent" && write.row.state !== "planned";
}

export interface JobFilter {
  readonly op?: string;
  readonly state?: JobState;
  /** Only those that have ended. */
  readonly ended?: true;
  readonly term?: string;
  /** Prefix of the job id, such as `2026-11-21`. */
  readonly date?: string;
  /** Text that occurs in the term, description or error. */
  readonly text?: string;
  readonly rebuild?: boolean;
  /** Default 100, at most 1000. */
  readonly limit?: number;
  /** Only jobs older than this id (paging). */
  readonly before?: string;
}

/** Where everything that must outlive the process is kept. Every put replaces the row of the same primary key. */
export interface Store {
  /**
   * Writes a batch in one transaction; resolves once it is durable. Batches keep their order.
   *
   * Rejects with `StoreFull` when the disk is full (nothing of the batch is written; `full` tells when it is over).
   * Rejects with `StoreRefused` when a constraint forbids it (nothing of the batch is written).
   * Any other I/O error or a corruption ends the process: `onFatal` is called once and nothing resolves any more.
   *
   * @param unhurried  Nobody waits for it: it may go with the next batch, or alone after a while.
   */
  commit(batch: readonly Write[], unhurried?: boolean): Promise<void>;
  /** Waits until all earlier commits are durable. */
  flush(): Promise<void>;
  readonly queries: Queries;
  /** This start's number; larger than that of every earlier start. 0 when opened read-only. */
  readonly epoch: number;
  /** Whether the disk is full right now; a probe finds out when there is room again. */
  readonly full: boolean;
  onFull(listener: (full: boolean) => void): void;
  /** For the metrics. */
  readonly counts: StoreCounts;
  close(): Promise<void>;
}

/** Since the store was opened. Far fewer transactions than batches: commits are grouped. */
export interface StoreCounts {
  readonly batches: number;
  readonly transactions: number;
}

/** A job that has ended, as far as the next one of its term wants to know. */
export interface LastRun extends Pick<JobRow, "id" | "key" | "state"> {
  /** Digests by name. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** Reads, on the main thread, of what is committed. */
export interface Queries {
  results(): readonly ResultRow[];
  result(op: string, key: string): ResultRow | undefined;
  heads(): readonly HeadRow[];
  openIntents(): readonly IntentRow[];
  /** Newest first. */
  intents(filter: { readonly lane?: string; readonly term?: string; readonly limit?: number }): readonly IntentRow[];
  intent(id: string): IntentRow | undefined;
  outbox(): readonly OutboxRow[];
  /** Those that are not at rest. */
  openOutbox(): readonly OutboxRow[];
  outboxOf(key: string): OutboxRow | undefined;
  setting(name: string): Json | undefined;
  job(id: string): JobRow | undefined;
  jobs(filter: JobFilter): readonly JobRow[];
  unfinishedJobs(): readonly JobRow[];
  jobInputs(job: string): readonly JobInputRow[];
  /** The newest job of a term that has ended, with the digests of its inputs: for "which input changed". */
  lastRun(term: string, op: string): LastRun | undefined;
  events(ids: readonly number[]): readonly EventRow[];
  lastEventId(): number;
  /** Newest first. */
  audit(limit: number, filter?: AuditFilter): readonly AuditRow[];
  lastAuditId(): number;
  /** Also those that are over. */
  sessions(): readonly SessionRow[];
  /** Also those that were revoked, by name. */
  apiTokens(): readonly ApiTokenRow[];
  approval(repository: number, pull: number, hash: string): ApprovalRow | undefined;
  inbox(delivery: string): InboxRow | undefined;
  /** Not acted on yet, oldest first. */
  openInbox(): readonly InboxRow[];
  /** When the newest of them came in; undefined when there is none. */
  lastInboxMs(): number | undefined;
  /** Distinct operations that have jobs. */
  operations(): readonly string[];
  /** Durations of the last `limit` good runs of a term, newest first, in milliseconds. */
  durations(term: string, op: string, limit: number): readonly number[];
}

/** A batch that broke a constraint, such as a second open intent of one lane; its neighbours are written. */
export class StoreRefused extends Error {
  override readonly name = "StoreRefused";
}

export class StoreFull extends Error {
  override readonly name = "StoreFull";
}
