import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Subscription } from "rxjs";
import type { JobView, View } from "../engine/view.ts";

const SECONDS = [1, 5, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200];
const ENDED = new Set(["ok", "failed", "cancelled", "interrupted"]);
const REMEMBERED_MAX = 10_000;

/**
 * The Prometheus series. Labels are names of the program (states, operations, pools), never text from outside such as
 * a branch, so that nobody can make their number grow.
 */
export function createMetrics(view: View, streams: () => number) {
  const registry = new Registry();
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[], collect: Collect<L>): void => {
    const made = new Gauge({
      name: `millrace_${name}`,
      help,
      labelNames,
      registers: [],
      collect: () => {
        made.reset();
        collect((value, labels) => (labels === undefined ? made.set(value) : made.set(labels, value)));
      },
    });
    registry.registerMetric(made);
  };
  addGauges(view, streams, gauge);
  const jobs = countJobs(view, registry);
  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close: () => jobs.unsubscribe(),
  };
}

type Collect<L extends string> = (set: (value: number, labels?: Record<L, string>) => void) => void;
type AddGauge = <L extends string>(name: string, help: string, labelNames: readonly L[], collect: Collect<L>) => void;

function addGauges(view: View, streams: () => number, gauge: AddGauge): void {
  gauge("info", "Always 1; the version and the flavour.", ["version", "flavour"], (set) =>
    set(1, { version: view.version, flavour: view.flavour }),
  );
  gauge("ready", "1 when recovery is finished.", [], (set) => set(Number(view.ready())));
  gauge("storable", "0 while nothing can be stored.", [], (set) => set(Number(view.storable())));
  gauge("core_step", "Steps since the start.", [], (set) => set(view.graph().step));
  gauge("core_pipeline_terms", "Terms of the graph, each in one state.", ["state"], (set) => {
    for (const [state, value] of Object.entries(view.stats())) set(value, { state });
  });
  gauge("core_jobs_open", "Jobs that have not ended, each in one state.", ["state"], (set) => {
    for (const [state, value] of Object.entries(view.openCounts())) set(value, { state });
  });
  gauge("pool_capacity", "Places of a pool.", ["name"], (set) => {
    for (const pool of view.pools()) set(pool.capacity, { name: pool.name });
  });
  gauge("pool_resources_in_use", "Places taken.", ["name"], (set) => {
    for (const pool of view.pools()) set(pool.used, { name: pool.name });
  });
  gauge("pool_qlen", "Jobs that wait for a place.", ["name"], (set) => {
    for (const pool of view.pools()) set(pool.waiting, { name: pool.name });
  });
  gauge("services", "Targets, each in one state.", ["state"], (set) => {
    const counts = new Map<string, number>();
    for (const { state } of view.services()) counts.set(state, (counts.get(state) ?? 0) + 1);
    for (const [state, value] of counts) set(value, { state });
  });
  gauge("banners", "Problems of the whole, by level.", ["level"], (set) => {
    for (const level of ["info", "warning", "error"] as const) {
      set(view.banners().filter((banner) => banner.level === level).length, { level });
    }
  });
  addForge(view, gauge);
  gauge("web_streams", "Readers of live pages and logs.", [], (set) => set(streams()));
  gauge("process_resident_memory_bytes", "Memory of the process.", [], (set) => set(process.memoryUsage.rss()));
  gauge("process_cpu_seconds", "Processor time of the process since its start.", [], (set) => {
    const { user, system } = process.cpuUsage();
    set((user + system) / 1e6);
  });
}

/** Accounts are those of the allow-list, events those that GitHub documents: neither grows by itself. */
function addForge(view: View, gauge: AddGauge): void {
  gauge("forge_requests_remaining", "Requests that are left of this hour.", ["account"], (set) => {
    for (const { account, remaining } of view.forge()?.rates ?? []) set(remaining, { account });
  });
  gauge(
    "forge_deliveries",
    "Deliveries since the start, by event and what became of them.",
    ["event", "outcome"],
    (set) => {
      for (const { kind, outcome, count } of view.forge()?.deliveries?.counts ?? [])
        set(count, { event: kind, outcome });
    },
  );
  gauge("forge_deliveries_open", "Deliveries that are not acted on yet.", [], (set) =>
    set(view.forge()?.deliveries?.open ?? 0),
  );
  gauge("outbox_unsent", "Statuses and messages that are not confirmed yet.", [], (set) =>
    set(view.forge()?.unsent?.count ?? 0),
  );
  gauge("outbox_oldest_unsent_seconds", "For how long the oldest of them has waited; 0: there is none.", [], (set) =>
    set((view.forge()?.unsent?.waitsMs ?? 0) / 1000),
  );
  gauge("forge_last_delivery_timestamp_seconds", "When the newest delivery came in; 0: never.", [], (set) =>
    set((view.forge()?.deliveries?.lastMs ?? 0) / 1000),
  );
}

/** Counts each job once, when it ends. */
function countJobs(view: View, registry: Registry): Subscription {
  const registers = [registry];
  const ended = new Counter({
    name: "millrace_jobs_ended_total",
    help: "Jobs that have ended.",
    labelNames: ["op", "state"],
    registers,
  });
  const seconds = (name: string, help: string, label: string) =>
    new Histogram({ name: `millrace_${name}`, help, labelNames: [label], buckets: SECONDS, registers });
  const run = seconds("job_run_seconds", "From the start of a job to its end.", "op");
  const wait = seconds("pool_wait_time_seconds", "From the making of a job to its start in a pool.", "name");
  const use = seconds("pool_use_time_seconds", "How long a job held its place in a pool.", "name");
  const seen = new Set<string>();
  return view.jobChanges.subscribe((job: JobView) => {
    if (!ENDED.has(job.state) || seen.has(job.id)) return;
    if (seen.size >= REMEMBERED_MAX) seen.clear();
    seen.add(job.id);
    ended.inc({ op: job.op, state: job.state });
    if (job.startedMs === undefined || job.endedMs === undefined) return;
    run.observe({ op: job.op }, (job.endedMs - job.startedMs) / 1000);
    if (job.pool === undefined) return;
    wait.observe({ name: job.pool }, (job.startedMs - job.createdMs) / 1000);
    use.observe({ name: job.pool }, (job.endedMs - job.startedMs) / 1000);
  });
}
