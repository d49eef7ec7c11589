import { Observable, Subject } from "rxjs";
import type { Waiting } from "../../src/engine/approvals.ts";
import type { Proposal } from "../../src/engine/changes.ts";
import { problem } from "../../src/engine/errors.ts";
import type { ForgeView } from "../../src/engine/forge-view.ts";
import { isJobId, type JobId } from "../../src/engine/job.ts";
import type { Threshold } from "../../src/engine/level.ts";
import { csvOf } from "../../src/engine/log-rules/csv.ts";
import type { LogRuleDesk } from "../../src/engine/log-rules/desk.ts";
import type { LogRule } from "../../src/engine/log-rules/rule.ts";
import type {
  AuditFilter,
  AuditRow,
  EventRow,
  IntentRow,
  JobFilter,
  JobInputRow,
} from "../../src/engine/store/store.ts";
import type {
  Actions,
  Approvable,
  Banner,
  GraphChange,
  GraphEdge,
  GraphGroup,
  GraphNode,
  GraphSnapshot,
  JobDetail,
  JobView,
  LogReader,
  ServiceView,
  Stats,
  View,
} from "../../src/engine/view.ts";
import { type Failure, failure, type Result, success } from "../../src/term/output.ts";

export function jobId(text: string): JobId {
  if (!isJobId(text)) throw new Error(`${text} is no job id`);
  return text;
}

/** A job's details with everything that a test does not care about filled in. */
export function makeJob(id: string, more: Partial<JobDetail> = {}): JobDetail {
  return {
    id: jobId(id),
    op: "docker-build",
    term: "demo/hello/Dockerfile/branch:live/build",
    description: "build demo/hello live",
    state: "ok",
    level: "harmless",
    pool: "docker-build",
    build: 1,
    createdMs: 1_700_000_000_000,
    startedMs: 1_700_000_001_000,
    endedMs: 1_700_000_061_000,
    can: { rebuild: true, cancel: false, start: false },
    because: [],
    inputs: [],
    history: [],
    at: "pipeline.ts:12",
    ...more,
  };
}

export const makeNode = (key: string, more: Partial<GraphNode> = {}): GraphNode => ({
  key,
  label: key,
  kind: "build",
  group: "demo/hello",
  state: "ok",
  detail: "nothing to do",
  ...more,
});

/** One log in memory; `write` makes its readers go on. */
class FakeLog {
  #bytes = Buffer.alloc(0);
  readonly #grown = new Subject<void>();
  #ended = false;

  write(text: string | Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.from(text)]);
    this.#grown.next();
  }
  end(): void {
    this.#ended = true;
    this.#grown.complete();
  }
  get size(): number {
    return this.#bytes.length;
  }
  get readers(): number {
    return this.#grown.observed ? 1 : 0;
  }
  /** Like the real one: never cuts a character, unless the log itself ends inside one. */
  read(from: number, bytesMax: number): Uint8Array {
    let end = Math.min(this.#bytes.length, from + bytesMax);
    const start = lastStart(this.#bytes, from, end);
    if (start > from || (start === from && !this.#ended)) end = whole(this.#bytes, start, end) ? end : start;
    return this.#bytes.subarray(from, end);
  }
  grows(): Observable<void> {
    return this.#ended ? new Observable((observer) => observer.complete()) : this.#grown;
  }
}

/** Where the last character before `end` begins. */
function lastStart(bytes: Buffer, from: number, end: number): number {
  let at = end - 1;
  while (at > from && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--;
  return at;
}

function whole(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return end - start >= length;
}

export interface Action {
  readonly name: string;
  readonly subject: string;
  readonly who: string;
  readonly why?: string;
}

const said = (why = "") => (why === "" ? {} : { why });

/** The groups of a graph, made anew. */
export function groupsOf({ nodes, edges }: Pick<GraphSnapshot, "nodes" | "edges">): readonly GraphGroup[] {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  return [...new Set(nodes.map(({ group }) => group))].map((name) => {
    const boxes = nodes.filter(({ group }) => group === name);
    const keys = new Set(boxes.map(({ key }) => key));
    const own = edges.filter(({ from, to }) => keys.has(to) && byKey.has(from));
    const chips = own.filter(({ from }) => !keys.has(from)).flatMap(({ from }) => byKey.get(from) ?? []);
    return { name, boxes, chips: [...new Set(chips)], edges: own };
  });
}

/** A View whose graph, jobs and logs a test moves by hand. */
export class FakeView implements View {
  readonly flavour = "demo";
  readonly version = "0.1.0";
  url = "http://localhost:8080";
  nodes: GraphNode[] = [];
  edges: GraphEdge[] = [];
  step = 1;
  structure = 1;
  all: JobDetail[] = [];
  targets: ServiceView[] = [];
  deploys: IntentRow[] = [];
  notices: Banner[] = [];
  atForge: ForgeView | undefined = undefined;
  entries: AuditRow[] = [];
  isReady = true;
  isStorable = true;
  strangers: readonly Waiting[] = [];
  confirmAt: Threshold = "none";
  refuseWith: Failure | undefined;
  readonly actions: Action[] = [];
  readonly logs = new Map<string, FakeLog>();
  readonly #changes = new Subject<GraphChange>();
  readonly jobChanges = new Subject<JobView>();
  readonly changes = new Observable<GraphChange>((observer) => {
    observer.next({ kind: "snapshot", graph: this.graph() });
    return this.#changes.subscribe(observer);
  });

  graph(): GraphSnapshot {
    return { step: this.step, structure: this.structure, nodes: this.nodes, edges: this.edges };
  }

  async graphSoon(): Promise<GraphSnapshot> {
    return this.graph();
  }

  groups(): readonly GraphGroup[] {
    return groupsOf(this.graph());
  }

  /** One step that changes nodes of the graph. */
  change(...changed: readonly GraphNode[]): void {
    const byKey = new Map(changed.map((node) => [node.key, node]));
    this.nodes = this.nodes.map((node) => byKey.get(node.key) ?? node);
    this.step += 1;
    this.#changes.next({ kind: "step", step: this.step, structure: this.structure, changed, added: [], removed: [] });
  }

  /** One step that adds nodes and edges. */
  grow(added: readonly GraphNode[], edges: readonly GraphEdge[]): void {
    this.nodes = [...this.nodes, ...added];
    this.edges = [...this.edges, ...edges];
    this.step += 1;
    this.structure += 1;
    const { step, structure } = this;
    this.#changes.next({ kind: "step", step, structure, changed: [], added, removed: [], edges });
  }

  /** Adds a job, or changes one. */
  put(job: JobDetail): JobDetail {
    this.all = [job, ...this.all.filter((other) => other.id !== job.id)].toSorted((a, b) => (a.id < b.id ? 1 : -1));
    this.jobChanges.next(job);
    return job;
  }

  logOf(id: string): FakeLog {
    const log = this.logs.get(id) ?? new FakeLog();
    this.logs.set(id, log);
    return log;
  }

  openJobs(limit?: number): readonly JobView[] {
    return this.all
      .filter((job) => job.endedMs === undefined)
      .toReversed()
      .slice(0, limit);
  }
  openCounts(): ReturnType<View["openCounts"]> {
    const count = (state: JobView["state"]): number => this.openJobs().filter((job) => job.state === state).length;
    return { ready: count("ready"), waiting: count("waiting"), running: count("running") };
  }
  job(id: string): JobDetail | undefined {
    return this.all.find((job) => job.id === id);
  }
  jobs(filter: JobFilter): readonly JobView[] {
    const found = this.all.filter(
      (job) =>
        (filter.op === undefined || job.op === filter.op) &&
        (filter.state === undefined || job.state === filter.state) &&
        (filter.ended === undefined || job.endedMs !== undefined) &&
        (filter.term === undefined || job.term === filter.term) &&
        (filter.date === undefined || job.id.startsWith(filter.date)) &&
        (filter.text === undefined || `${job.term} ${job.description}`.includes(filter.text)) &&
        (filter.before === undefined || job.id < filter.before),
    );
    return found.slice(0, filter.limit ?? 100);
  }
  operations(): readonly string[] {
    return [...new Set(this.all.map((job) => job.op))];
  }
  services(): readonly ServiceView[] {
    return this.targets;
  }
  history(): readonly IntentRow[] {
    return this.deploys;
  }
  approvals(): readonly Waiting[] {
    return this.strangers;
  }
  /** What any of them changes. */
  proposed: Result<Proposal> = failure(problem("NOT_POSSIBLE", "nobody tells what it changes"));
  async proposal({ pull, commit }: Approvable): Promise<Result<Proposal>> {
    const waits = this.strangers.some((one) => one.pull === pull && one.commit === commit);
    return waits ? this.proposed : failure(problem("NOT_FOUND", `#${pull} does not wait with this commit`));
  }
  audit(limit: number, { who, what, before }: AuditFilter = {}): readonly AuditRow[] {
    const found = this.entries.filter(
      (row) =>
        (who === undefined || row.who === who) &&
        (what === undefined || row.what === what) &&
        (before === undefined || row.id < before),
    );
    return found.toSorted((a, b) => b.id - a.id).slice(0, limit);
  }
  stats(): Stats {
    const stats = { ok: 0, ready: 0, waiting: 0, running: 0, failed: 0, blocked: 0 };
    for (const node of this.nodes) stats[node.state] += 1;
    return stats;
  }
  banners(): readonly Banner[] {
    return this.notices;
  }
  forge(): ForgeView | undefined {
    return this.atForge;
  }
  threshold() {
    return { threshold: this.confirmAt, setBy: "--confirm" };
  }
  ready(): boolean {
    return this.isReady;
  }
  storable(): boolean {
    return this.isStorable;
  }
  pools() {
    return [{ name: "docker-build", capacity: 1, used: 1, waiting: 2 }];
  }

  readonly log: LogReader = {
    size: async (id) => (this.job(id) === undefined ? undefined : this.logOf(id).size),
    read: async (id, from, bytesMax) => this.logOf(id).read(from, bytesMax),
    grows: (id) => this.logOf(id).grows(),
  };

  rules: LogRule[] = [{ pattern: "^fatal: .+", report: "", score: 60 }];
  readonly logRules: LogRuleDesk = {
    list: () => this.rules,
    csv: () => csvOf(this.rules),
    slow: () => new Map(),
    test: async () => success({ logs: 0, cut: false, matches: [] }),
    put: async (rule, who, why) => {
      this.rules = [...this.rules.filter(({ pattern }) => pattern !== rule.pattern), rule];
      return this.#answered({ name: "log-rule", subject: rule.pattern, who, ...said(why) }, undefined);
    },
    remove: async (pattern, who, why) =>
      this.#answered({ name: "log-rule-remove", subject: pattern, who, ...said(why) }, undefined),
    import: async (csv, who, why) => this.#answered({ name: "log-rule-import", subject: csv, who, ...said(why) }, 1),
  };

  #answered<T>(action: Action, value: T): Result<T> {
    const did = this.#did(action);
    return did.ok ? success(value) : failure(did.error);
  }

  readonly act: Actions = {
    rebuild: async (id, who, why) => this.#did({ name: "rebuild", subject: id, who, ...said(why) }),
    cancel: async (id, who, why) => this.#did({ name: "cancel", subject: id, who, why }),
    start: async (id, who, why) => this.#did({ name: "start", subject: id, who, ...said(why) }),
    confirm: async (threshold, who, why) => {
      this.confirmAt = threshold;
      return this.#did({ name: "confirm", subject: threshold, who, ...said(why) });
    },
    approve: async ({ commit }, who, why) => this.#did({ name: "approve", subject: commit, who, ...said(why) }),
    adopt: async (term, who, why) => this.#did({ name: "adopt", subject: term, who, ...said(why) }),
  };

  #did(action: Action) {
    this.actions.push(action);
    return this.refuseWith === undefined ? { ok: true as const } : { ok: false as const, error: this.refuseWith };
  }
}

export const event = (id: number, more: Partial<EventRow> = {}): EventRow => ({
  id,
  atMs: 1_700_000_000_000,
  kind: "poll",
  subject: "demo/hello live",
  detail: "live moved from 3f9c1ab to 77d01e2",
  ...more,
});

export const input = (name: string, text: string, changed: boolean): JobInputRow => ({
  job: jobId("2023-11-14/221320-docker-build-a1b2c3"),
  name,
  digest: "sha256:0d4f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7",
  text,
  changed,
});
