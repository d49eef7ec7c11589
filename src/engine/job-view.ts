import type { Engine } from "./engine.ts";
import type { JobId } from "./job.ts";
import type { RunningJob } from "./running-job.ts";
import type { EventRow, JobFilter, JobRow } from "./store/store.ts";
import type { JobDetail, JobView, OpenCounts } from "./view.ts";

const HISTORY_MAX = 10;
const DURATIONS = 5;
const CAUSES_MAX = 50;

/** Jobs as pages show them: those that are open from memory, the others from the store. */
export class JobBook {
  readonly #engine: Engine;
  readonly #acts: boolean;

  /** @param acts Whether anything may be done to a job at all. */
  constructor(engine: Engine, acts: boolean) {
    this.#engine = engine;
    this.#acts = acts;
  }

  row(id: string): JobRow | undefined {
    return this.#engine.jobs.open.get(id)?.row ?? this.#engine.store.queries.job(id);
  }

  open(limit = Number.POSITIVE_INFINITY): readonly JobView[] {
    const rows = [...this.#engine.jobs.open.values()].map(({ row }) => row);
    const runs = ({ state }: JobRow): boolean => state === "running";
    const first = rows.length <= limit ? rows : [...rows.filter(runs), ...rows.filter((row) => !runs(row))];
    return first.slice(0, limit).map((row) => this.#view(row));
  }

  counts(): OpenCounts {
    const counts = { ready: 0, waiting: 0, running: 0 };
    for (const { row } of this.#engine.jobs.open.values())
      if (row.state === "ready" || row.state === "waiting" || row.state === "running") counts[row.state] += 1;
    return counts;
  }

  find(filter: JobFilter): readonly JobView[] {
    const rows = this.#engine.store.queries.jobs(filter);
    return rows.map((row) => this.#view(this.#engine.jobs.open.get(row.id)?.row ?? row));
  }

  /** A job that has just changed; its end may not be readable from the store yet. */
  changed(id: JobId): JobView {
    const row = this.#engine.jobs.newest(id) ?? this.row(id);
    if (row === undefined) throw new Error(`job ${id} changed but is unknown`);
    return this.#view(row);
  }

  detail(id: string): JobDetail | undefined {
    const row = this.row(id);
    if (row === undefined) return undefined;
    const { queries } = this.#engine.store;
    const history = queries.jobs({ term: row.term, op: row.op, limit: HISTORY_MAX }).filter((one) => one.id !== row.id);
    const at = this.#engine.world.terms.get(row.term)?.box?.at;
    return {
      ...this.#view(row),
      because: this.#causes(row),
      inputs: queries.jobInputs(row.id),
      history: history.map((one) => this.#view(this.#engine.jobs.open.get(one.id)?.row ?? one)),
      ...(at === undefined ? {} : { at }),
    };
  }

  /** The whole chain, oldest first: a job that led to this one is told with what led to that job. */
  #causes(row: JobRow): readonly EventRow[] {
    const found = new Map<number, EventRow>();
    let next = row.events;
    while (next.length > 0 && found.size < CAUSES_MAX) {
      const events = this.#engine.store.queries.events(next.filter((id) => !found.has(id)));
      for (const event of events) found.set(event.id, event);
      const jobs = events.filter(({ kind }) => kind === "job");
      next = jobs.flatMap(({ subject }) => this.row(subject)?.events ?? []);
    }
    return [...found.values()].toSorted((a, b) => a.id - b.id);
  }

  #view(row: JobRow): JobView {
    const job = this.#engine.jobs.open.get(row.id);
    const usuallyMs = median(this.#engine.store.queries.durations(row.term, row.op, DURATIONS));
    const waitingFor = job === undefined ? undefined : this.#waitingFor(job);
    const inPipeline = this.#engine.jobs.rebuilders.has(`${row.op} ${row.key}`);
    return {
      id: row.id,
      op: row.op,
      term: row.term,
      description: row.description,
      state: row.state,
      build: row.build,
      createdMs: row.createdMs,
      can: {
        rebuild: this.#acts && job === undefined && inPipeline,
        cancel: this.#acts && job !== undefined && job.sealed === undefined && !job.signal.aborted,
        start: this.#acts && job?.row.state === "waiting",
      },
      ...defined("level", row.level),
      ...defined("pool", row.pool),
      ...defined("startedMs", row.startedMs),
      ...defined("endedMs", row.endedMs),
      ...defined("error", row.error),
      ...defined("note", row.note),
      ...defined("headline", row.headline),
      ...defined("progress", job?.latest),
      ...defined("usuallyMs", usuallyMs),
      ...defined("waitingFor", waitingFor),
    };
  }

  #waitingFor({ row }: RunningJob): string | undefined {
    if (row.state === "waiting") return `confirmation: the threshold is ${this.#engine.confirm.threshold}`;
    return row.state === "ready" && row.pool !== null ? `a place in pool ${row.pool}` : undefined;
  }
}

/** The field when there is something in it. */
const defined = <N extends string, V>(name: N, value: V | null | undefined): { readonly [K in N]?: V } =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed name widens to string
  value === null || value === undefined ? {} : ({ [name]: value } as { readonly [K in N]?: V });

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
