import type { Service } from "../engine/effects/service.ts";
import type { Engine } from "../engine/engine.ts";
import { brief } from "../engine/graph-view.ts";
import type { Level } from "../engine/level.ts";
import type { Pipeline } from "../pipeline/lower.ts";
import { seenFrom } from "../term/output.ts";
import type { Term } from "../term/term.ts";
import type { Plan, PlanLine } from "./options.ts";

/** How long nothing may move before things count as settled, in milliseconds. */
const STILL_MS = 150;

/** Waits until every input is read and every job that may run has ended. */
export async function settled(engine: Engine, pipeline: Pipeline): Promise<void> {
  let quietMs = 0;
  let lastStep = -1;
  while (quietMs < STILL_MS) {
    await engine.clock.sleep(STILL_MS / 3);
    const moving = engine.step !== lastStep || busy(engine, pipeline);
    lastStep = engine.step;
    quietMs = moving ? 0 : quietMs + STILL_MS / 3;
  }
}

const busy = (engine: Engine, { monitors, services }: Pipeline): boolean =>
  monitors.some((monitor) => monitor.reading) ||
  [...engine.jobs.open.values()].some(({ row }) => row.state !== "waiting") ||
  services.some((service) => !service.asleep() && !waits(engine, service));

/** A lane whose job waits for a person is as still as one that sleeps. */
const waits = (engine: Engine, service: Service): boolean =>
  [...engine.jobs.open.values()].some(({ row }) => row.term === service.term && row.state === "waiting");

/** What would be done, or has been: a line a term, in the order of the graph. */
export function planOf(
  engine: Engine,
  pipeline: Pick<Pipeline, "services">,
  flavour: string,
  held: (level: Level) => boolean,
): Plan {
  const services = new Map(pipeline.services.map((service) => [service.term, service]));
  const lines = [...engine.world.terms.values()].map((term) => lineOf(engine, term, services.get(term.key), held));
  return { flavour, lines };
}

function lineOf(
  engine: Engine,
  term: Term<unknown>,
  service: Service | undefined,
  held: (level: Level) => boolean,
): PlanLine {
  const base = { term: term.key, ...(term.box?.at === undefined ? {} : { at: term.box.at }) };
  const what = oneLine(term);
  const shown = seenFrom(term.output, term.key);
  if (term.output.state === "failed" && shown === "failed")
    return { ...base, action: "failed", detail: what, failure: term.output.failure };
  const trouble = service?.missing() ?? service?.down();
  if (trouble !== undefined) return { ...base, action: "failed", detail: what, failure: trouble };
  const changes = service?.changes();
  const job = term.metadata.job === undefined ? undefined : engine.jobs.open.get(term.metadata.job);
  if (job !== undefined) {
    const action = job.row.level !== null && held(job.row.level) ? "held" : "run";
    return { ...base, action, detail: job.row.description, ...(changes === undefined ? {} : { changes }) };
  }
  if (shown === "blocked" || (service !== undefined && shown !== "ok"))
    return { ...base, action: "unknown", detail: what, ...(changes === undefined ? {} : { changes }) };
  return { ...base, action: service === undefined ? "reuse" : "current", detail: what };
}

const oneLine = (term: Term<unknown>): string => {
  const label = (term.box?.label ?? term.key).replaceAll("\n", " ");
  const repo = term.group === "" || label.startsWith(term.group) ? "" : `${term.group} `;
  const detail = brief(term.metadata.detail ?? term.told ?? "");
  return `${term.box?.kind ?? ""} ${repo}${label}${detail === "" ? "" : `: ${detail}`}`;
};
