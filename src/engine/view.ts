import type { Observable } from "rxjs";
import type { Failure, Result, Shown } from "../term/output.ts";
import type { Waiting } from "./approvals.ts";
import type { Proposal } from "./changes.ts";
import type { DriftPolicy } from "./effects/drift.ts";
import type { ForgeView } from "./forge-view.ts";
import type { JobId, JobState, Progress } from "./job.ts";
import type { Level, Threshold } from "./level.ts";
import type { LogRuleDesk } from "./log-rules/desk.ts";
import type { AuditFilter, AuditRow, EventRow, IntentRow, JobFilter, JobInputRow } from "./store/store.ts";

/** Open jobs by state. */
export type OpenCounts = Readonly<Record<"ready" | "waiting" | "running", number>>;

/**
 * What the pages, the API and the client commands see of a running engine: plain data and a few actions.
 * The web layer knows nothing else of Millrace.
 */
export interface View {
  readonly flavour: string;
  readonly version: string;
  /** Base URL from configuration, without a trailing slash. */
  readonly url: string;
  /** Boxes and edges that have not changed since an earlier call are the same objects. */
  graph(): GraphSnapshot;
  /** The same, made piece by piece where there is much to be made, so that nothing else waits. */
  graphSoon(): Promise<GraphSnapshot>;
  /** The graph by headings, in the order in which they first appear. What has not changed is the same object. */
  groups(): readonly GraphGroup[];
  /** One snapshot, then one item a step. */
  readonly changes: Observable<GraphChange>;
  /** Each start, state change or end of a job. */
  readonly jobChanges: Observable<JobView>;
  /** Open jobs (ready, waiting, running), oldest first; of more than `limit` those that run before those that wait. */
  openJobs(limit?: number): readonly JobView[];
  /** How many there are. */
  openCounts(): OpenCounts;
  job(id: string): JobDetail | undefined;
  jobs(filter: JobFilter): readonly JobView[];
  operations(): readonly string[];
  /** What is live where: a row a target. */
  services(): readonly ServiceView[];
  /** Past deploys, newest first; `term` limits to one target. */
  history(options: { readonly term?: string; readonly limit?: number }): readonly IntentRow[];
  /** Who did what, newest first. */
  audit(limit: number, filter?: AuditFilter): readonly AuditRow[];
  /** Commits of strangers' pull requests that wait for a maintainer, oldest first. */
  approvals(): readonly Waiting[];
  /** What one of them changes. Fails with `NOT_FOUND` when it does not wait, and with what the forge says. */
  proposal(which: Approvable): Promise<Result<Proposal>>;
  stats(): Stats;
  /** How the forge and we get on; without one it has no name. Undefined: nobody tells. */
  forge(): ForgeView | undefined;
  /** Problems of the whole: full disk, recovery at work, a host out of reach, no provider for login. */
  banners(): readonly Banner[];
  threshold(): { readonly threshold: Threshold; readonly setBy: string; readonly autoReleaseAtMs?: number };
  log: LogReader;
  /** What is looked for in the logs of jobs that failed. */
  readonly logRules: LogRuleDesk;
  readonly act: Actions;
  /** False while recovery is not finished. */
  ready(): boolean;
  /** False while nothing can be stored (a full disk): actions answer 503. */
  storable(): boolean;
  /** Pools by name: places, places taken, jobs that wait. */
  pools(): readonly {
    readonly name: string;
    readonly capacity: number;
    readonly used: number;
    readonly waiting: number;
  }[];
}

/** Every action is recorded in the audit log with `who`, and `why` when they said it; refusals too. */
export interface Actions {
  rebuild(id: string, who: string, why?: string): Promise<ActionResult>;
  cancel(id: string, who: string, why: string): Promise<ActionResult>;
  /** Starts a waiting job in spite of the threshold. */
  start(id: string, who: string, why?: string): Promise<ActionResult>;
  confirm(threshold: Threshold, who: string, why?: string): Promise<ActionResult>;
  /** Lets a stranger's commit be built, for as long as it is the newest one of its pull request. */
  approve(which: Approvable, who: string, why?: string): Promise<ActionResult>;
  /** Accepts what is on a held target. */
  adopt(term: string, who: string, why?: string): Promise<ActionResult>;
}

/** The very commit of a pull request. */
export type Approvable = Pick<Waiting, "repository" | "pull" | "commit">;

export type ActionResult =
  | { readonly ok: true; readonly job?: JobId }
  | { readonly ok: false; readonly error: Failure };

export interface GraphSnapshot {
  readonly step: number;
  /** Changes when nodes or edges come or go, not when states change: the key of a cached layout. */
  readonly structure: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  readonly key: string;
  /** May hold line breaks. */
  readonly label: string;
  /** head · build · push · deploy · tag · value … : the shape. */
  readonly kind: string;
  /** The repository (or other heading) it is drawn under; "" for none. */
  readonly group: string;
  readonly state: Shown;
  /** One sentence: what it is doing and why, or its value. */
  readonly detail: string;
  /** Line of pipeline.ts that made it, `pipeline.ts:12`. */
  readonly at?: string;
  readonly job?: JobId;
  /** At work on a newer value while the old one is still shown. */
  readonly updating?: "ready" | "waiting" | "running";
  /** The value is old: the last read failed at this time. */
  readonly staleSinceMs?: number;
  readonly failure?: Failure;
  readonly progress?: Progress;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** A control edge: `gate`. */
  readonly dashed?: boolean;
}

/** What is drawn under one heading. */
export interface GraphGroup {
  readonly name: string;
  readonly boxes: readonly GraphNode[];
  /** Boxes of other groups that one in this reads. */
  readonly chips: readonly GraphNode[];
  /** Those that end in this group, and begin at a box or a chip. */
  readonly edges: readonly GraphEdge[];
}

export type GraphChange =
  | { readonly kind: "snapshot"; readonly graph: GraphSnapshot }
  | {
      readonly kind: "step";
      readonly step: number;
      readonly structure: number;
      readonly changed: readonly GraphNode[];
      readonly added: readonly GraphNode[];
      readonly removed: readonly string[];
      /** Set when nodes or edges came or went: all that end in a node of `changed` or `added`. */
      readonly edges?: readonly GraphEdge[];
    };

export interface JobView {
  readonly id: JobId;
  readonly op: string;
  readonly term: string;
  readonly description: string;
  readonly state: JobState;
  readonly level?: Level;
  readonly pool?: string;
  readonly build: number;
  readonly createdMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  readonly error?: Failure;
  readonly note?: string;
  /** The line of its log that tells best why it failed. */
  readonly headline?: string;
  readonly progress?: Progress;
  /** Median of the last good runs, in milliseconds. */
  readonly usuallyMs?: number;
  readonly can: { readonly rebuild: boolean; readonly cancel: boolean; readonly start: boolean };
  /** Why it waits, for a person: "confirm threshold is average", "pool docker-build: 1 of 1 in use". */
  readonly waitingFor?: string;
}

export interface JobDetail extends JobView {
  /** Events from outside that caused it. */
  readonly because: readonly EventRow[];
  readonly inputs: readonly JobInputRow[];
  /** Other runs of the same term and operation, newest first, at most ten. */
  readonly history: readonly JobView[];
  /** Where in pipeline.ts the term was made. */
  readonly at?: string;
}

export interface ServiceView {
  readonly term: string;
  readonly name: string;
  readonly kind: string;
  readonly host: string;
  /** As rights name it: with its machine where that is not `here`, a tag by its image alone. */
  readonly place: string;
  /** Public address, when the pipeline names one. */
  readonly url?: string;
  readonly source: string;
  readonly state: Shown;
  readonly wanted?: string;
  readonly running?: string;
  /** When the running value was verified, and by which job. */
  readonly sinceMs?: number;
  readonly job?: JobId;
  readonly detail: string;
  readonly at?: string;
  /** What is done when somebody changes it by hand. */
  readonly drift: DriftPolicy;
  /** Whether somebody else put there what a person may accept. */
  readonly adoptable: boolean;
}

export interface Stats {
  readonly ok: number;
  readonly ready: number;
  readonly waiting: number;
  readonly running: number;
  readonly failed: number;
  readonly blocked: number;
}

export interface Banner {
  readonly code: string;
  readonly level: "info" | "warning" | "error";
  readonly text: string;
}

/** Job logs by byte offset. Records of ours start with RS (0x1e) and end with a newline; see engine/job-log.ts. */
export interface LogReader {
  /** Size in bytes, or undefined for an unknown job. Looked up in the database, never joined to a path from outside. */
  size(id: string): Promise<number | undefined>;
  /** At most `bytesMax` bytes from `from`; shorter at the end. Never cuts a UTF-8 character. */
  read(id: string, from: number, bytesMax: number): Promise<Uint8Array>;
  /** Emits whenever there is more to read; completes when the job has ended and all is written. */
  grows(id: string): Observable<void>;
}
