import type { JobView } from "../../engine/view.ts";
import { type Mark, markOfJob } from "../looks.ts";
import { duration, iso } from "../text.ts";
import { type Moment, moment } from "./page.ts";
import { whereOf } from "./where.ts";

/** A job in a table. */
export interface JobRowData {
  readonly id: string;
  readonly href: string;
  readonly mark: Mark;
  readonly description: string;
  /** The repository, and the branch or pull request; blank for what belongs to none. */
  readonly where: string;
  readonly op: string;
  readonly term: string;
  readonly created: Moment;
  readonly took: Took;
  readonly about: string;
  readonly progress: { readonly done: number; readonly total: number; readonly label: string } | undefined;
  readonly canRebuild: boolean;
}

/** How long it ran, or has run so far (`since` makes it tick in the browser). */
export interface Took {
  readonly text: string;
  readonly since: string | undefined;
  readonly usually: string;
}

export function jobRow(job: JobView, nowMs: number): JobRowData {
  return {
    id: job.id,
    href: `/job/${job.id}`,
    mark: markOfJob(job),
    description: job.description,
    where: whereOf(job.term),
    op: job.op,
    term: job.term,
    created: moment(job.createdMs, nowMs),
    took: took(job, nowMs),
    about: job.error?.message ?? job.waitingFor ?? job.note ?? "",
    progress: job.state === "running" ? job.progress : undefined,
    canRebuild: job.can.rebuild,
  };
}

export function took(job: JobView, nowMs: number): Took {
  const usually = job.usuallyMs === undefined ? "" : `usually ${duration(job.usuallyMs)}`;
  if (job.startedMs === undefined) return { text: "", since: undefined, usually };
  const running = job.endedMs === undefined;
  const text = duration((job.endedMs ?? nowMs) - job.startedMs);
  return { text, since: running ? iso(job.startedMs) : undefined, usually: running ? usually : "" };
}
