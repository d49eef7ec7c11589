import type { IntentRow, IntentState } from "../../engine/store/store.ts";
import type { Look, Mark } from "../looks.ts";
import { brief, duration } from "../text.ts";
import { render } from "../views.ts";
import { type Moment, moment, type Page } from "./page.ts";
import { whereOf } from "./where.ts";

const ROWS_MAX = 100;

export interface HistoryData {
  readonly deploys: readonly DeployRow[];
  /** Only those of this term; blank: of all. */
  readonly term: string;
}

interface DeployRow {
  readonly id: string;
  readonly mark: Mark;
  readonly name: string;
  readonly where: string;
  readonly evidence: string;
  readonly version: string;
  readonly before: string;
  readonly job: string;
  readonly at: Moment;
  /** Blank while it is under way. */
  readonly took: string;
  readonly href: string;
}

const LOOKS: Readonly<Record<IntentState, Look>> = {
  planned: "running",
  applied: "running",
  unknown: "trouble",
  verified: "ok",
  failed: "failed",
  "rolled-back": "failed",
  superseded: "cancelled",
};

/** What was deployed where and when, newest first; linked from the overview. */
export const historyPage: Page = {
  method: "GET",
  path: "/history",
  role: "viewer",
  title: "Deploys",
  handler: ({ view, clock }, { query }) => {
    const { term = "" } = query;
    const found = view.history({ limit: ROWS_MAX, ...(term === "" ? {} : { term }) });
    const names = new Map(view.services().map((service) => [service.term, service.name]));
    const deploys = found.map((intent) => rowOf(intent, names.get(intent.term) ?? "", clock.now()));
    return { kind: "page", body: render("history", { deploys, term }) };
  },
};

function rowOf(intent: IntentRow, name: string, now: number): DeployRow {
  const { id, state, term, digest, before, evidence, job, createdMs, endedMs } = intent;
  return {
    id,
    mark: { look: LOOKS[state], word: state },
    name: name === "" ? term : name, // it is not declared any more
    where: whereOf(term),
    evidence: brief(evidence ?? ""),
    version: brief(digest),
    before: brief(before ?? ""),
    job: `/job/${job}`,
    at: moment(createdMs, now),
    took: endedMs === null ? "" : duration(endedMs - createdMs),
    href: `/history?term=${encodeURIComponent(term)}`,
  };
}
