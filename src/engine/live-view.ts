import { map, type Observable, share } from "rxjs";
import { type Failure, failure, type Result } from "../term/output.ts";
import { detailOf } from "./audit.ts";
import type { Service } from "./effects/service.ts";
import type { Engine } from "./engine.ts";
import { problem } from "./errors.ts";
import { type ForgeView, forgeBanners } from "./forge-view.ts";
import { GraphView } from "./graph-view.ts";
import { isJobId } from "./job.ts";
import type { LogFiles } from "./job-log.ts";
import { JobBook } from "./job-view.ts";
import type { Threshold } from "./level.ts";
import { deskOf, type LogRuleDesk } from "./log-rules/desk.ts";
import type { Pool } from "./pool.ts";
import type { AuditFilter, IntentRow, JobFilter } from "./store/store.ts";
import type {
  ActionResult,
  Actions,
  Approvable,
  Banner,
  GraphChange,
  GraphGroup,
  GraphSnapshot,
  JobDetail,
  JobView,
  LogReader,
  ServiceView,
  Stats,
  View,
} from "./view.ts";

export interface LiveViewParts {
  readonly engine: Engine;
  readonly services: readonly Service[];
  /** What else can be adopted, by term: a repository that took another one's name. */
  readonly adopts?: ReadonlyMap<string, () => Promise<Result<unknown>>>;
  readonly pools: readonly Pool[];
  readonly logs: LogFiles;
  readonly flavour: string;
  readonly version: string;
  readonly url: string;
  /** How the forge and we get on; default: nobody tells. */
  readonly forge?: () => ForgeView;
  /** Stores a threshold that was changed on the page; default: it is not kept. */
  readonly keepThreshold?: (threshold: Threshold) => void;
  readonly ready: () => boolean;
  /** Nothing may be changed anywhere: every action is refused with `DRY_RUN`. Default false. */
  readonly dry?: boolean;
}

/** A running engine as pages, API and client commands see it. */
export class LiveView implements View {
  readonly flavour: string;
  readonly version: string;
  readonly url: string;
  readonly changes: Observable<GraphChange>;
  readonly jobChanges: Observable<JobView>;
  readonly log: LogReader;
  readonly act: Actions;
  readonly logRules: LogRuleDesk;
  readonly #parts: LiveViewParts;
  readonly #engine: Engine;
  readonly #graph: GraphView;
  readonly #jobs: JobBook;

  constructor(parts: LiveViewParts) {
    this.#parts = parts;
    this.#engine = parts.engine;
    this.flavour = parts.flavour;
    this.version = parts.version;
    this.url = parts.url;
    this.#graph = new GraphView(parts.engine);
    this.#jobs = new JobBook(parts.engine, parts.dry !== true);
    this.changes = this.#graph.changes;
    // looked up once, however many watch
    this.jobChanges = parts.engine.jobs.changes.pipe(
      map((id) => this.#jobs.changed(id)),
      share(),
    );
    this.log = this.#logReader();
    this.act = this.#actions();
    const { logRules: rules, audit } = parts.engine;
    this.logRules = deskOf({ rules, audit, dry: parts.dry === true });
  }

  graph(): GraphSnapshot {
    return this.#graph.snapshot();
  }
  graphSoon(): Promise<GraphSnapshot> {
    return this.#graph.snapshotSoon();
  }
  groups(): readonly GraphGroup[] {
    return this.#graph.groups();
  }
  openJobs(limit?: number): readonly JobView[] {
    return this.#jobs.open(limit);
  }
  openCounts(): ReturnType<View["openCounts"]> {
    return this.#jobs.counts();
  }
  job(id: string): JobDetail | undefined {
    return this.#jobs.detail(id);
  }
  jobs(filter: JobFilter): readonly JobView[] {
    return this.#jobs.find(filter);
  }
  operations(): readonly string[] {
    return this.#engine.store.queries.operations();
  }
  services(): readonly ServiceView[] {
    return this.#parts.services.map((service) => service.view(this.#engine));
  }
  history(options: { readonly term?: string; readonly limit?: number }): readonly IntentRow[] {
    return this.#engine.store.queries.intents(options);
  }
  audit(limit: number, filter?: AuditFilter): ReturnType<View["audit"]> {
    return this.#engine.store.queries.audit(limit, filter);
  }
  approvals(): ReturnType<View["approvals"]> {
    return this.#engine.approvals.waiting();
  }
  proposal(which: Approvable): ReturnType<View["proposal"]> {
    return this.#engine.approvals.proposal(which);
  }
  stats(): Stats {
    const stats = { ok: 0, ready: 0, waiting: 0, running: 0, failed: 0, blocked: 0 };
    for (const { state } of this.#graph.snapshot().nodes) stats[state] += 1;
    return stats;
  }
  banners(): readonly Banner[] {
    const full: Banner = {
      code: "STORE_FULL",
      level: "error",
      text: "The disk of the state directory is full: no job is started until there is room. What runs goes on.",
    };
    const dry: Banner = { code: "DRY_RUN", level: "info", text: "This is a dry run: it looks, and changes nothing." };
    const own = [...(this.storable() ? [] : [full]), ...(this.#parts.dry === true ? [dry] : [])];
    const forge = this.forge();
    return forge === undefined ? own : [...own, ...forgeBanners(forge, this.#engine.clock.now())];
  }
  forge(): ForgeView | undefined {
    return this.#parts.forge?.();
  }
  threshold(): ReturnType<View["threshold"]> {
    const { threshold, setBy, autoReleaseAtMs } = this.#engine.confirm;
    return { threshold, setBy, ...(autoReleaseAtMs === undefined ? {} : { autoReleaseAtMs }) };
  }
  ready(): boolean {
    return this.#parts.ready();
  }
  storable(): boolean {
    return !this.#engine.journal.blocked;
  }
  pools(): ReturnType<View["pools"]> {
    return this.#parts.pools.map(({ name, capacity, used, waiting }) => ({ name, capacity, used, waiting }));
  }

  #logReader(): LogReader {
    const { logs } = this.#parts;
    const pathOf = (id: string): string | undefined => this.#jobs.row(id)?.log;
    return {
      size: async (id) => {
        const path = pathOf(id);
        return path === undefined ? undefined : logs.size(path);
      },
      read: async (id, from, bytesMax) => {
        const path = pathOf(id);
        return path === undefined ? new Uint8Array() : logs.read(path, from, bytesMax);
      },
      grows: (id) => logs.grows(id),
    };
  }

  #actions(): Actions {
    const { jobs, confirm } = this.#engine;
    return {
      rebuild: (id, who, why) => this.#audited(who, "rebuild", id, () => this.#rebuild(id), why),
      cancel: (id, who, why) => this.#audited(who, "cancel", id, () => jobs.cancel(id, who, why), why),
      start: (id, who, why) => this.#audited(who, "start", id, async () => jobs.start(id, who), why),
      approve: (which, who, why) => {
        const { repository, pull, commit } = which;
        const known = this.approvals().find((one) => one.repository === repository && one.pull === pull);
        const subject = `${known?.name ?? repository}#${pull} ${commit}`;
        return this.#audited(who, "approve", subject, () => this.#engine.approvals.approve(which, who, "button"), why);
      },
      adopt: (term, who, why) => this.#audited(who, "adopt", term, () => this.#adopt(term, who), why),
      confirm: (threshold, who, why) => {
        const set = async (): Promise<Result<unknown>> => {
          confirm.set(threshold, who);
          this.#parts.keepThreshold?.(threshold);
          return { ok: true, value: undefined };
        };
        return this.#audited(who, "confirm", threshold, set, why);
      },
    };
  }

  async #rebuild(id: string): Promise<Result<unknown>> {
    const row = this.#jobs.row(id);
    if (row === undefined) return failure(problem("NOT_FOUND", `there is no job ${id}`));
    const again = this.#engine.jobs.rebuilders.get(`${row.op} ${row.key}`);
    if (again !== undefined) return again();
    return failure(problem("NOT_POSSIBLE", `job ${id} is no longer part of the pipeline: another value is wanted now`));
  }

  async #adopt(term: string, who: string): Promise<Result<unknown>> {
    const service = this.#parts.services.find((one) => one.term === term);
    if (service !== undefined) return service.adopt(who);
    const accept = this.#parts.adopts?.get(term);
    return accept === undefined ? failure(problem("NOT_FOUND", `there is no deploy term ${term}`)) : accept();
  }

  /** Every action, done or refused, is written down with who and why before it is answered. */
  async #audited(
    who: string,
    what: string,
    subject: string,
    act: () => Promise<Result<unknown>>,
    why = "",
  ): Promise<ActionResult> {
    if (this.#parts.dry === true)
      return refused(problem("DRY_RUN", `${what} ${subject} is refused: this is a dry run, which changes nothing`));
    const result = await act();
    await this.#engine.audit.record(who, what, subject, detailOf(result, why));
    return result.ok ? done(result.value) : refused(result.error);
  }
}

const refused = (error: Failure): ActionResult => ({ ok: false, error });
const done = (value: unknown): ActionResult =>
  typeof value === "string" && isJobId(value) ? { ok: true, job: value } : { ok: true };
