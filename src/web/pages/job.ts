import { suffices } from "../../engine/access/identity.ts";
import { isJobId } from "../../engine/job.ts";
import type { JobDetail, View } from "../../engine/view.ts";
import { jobIn } from "../job-id.ts";
import { logTail } from "../log-tail.ts";
import { type Mark, markOfJob } from "../looks.ts";
import { notTheirs } from "../rights.ts";
import { count, type Html, iso } from "../text.ts";
import { render } from "../views.ts";
import type { Visitor } from "../visitor.ts";
import { type JobRowData, jobRow, type Took, took } from "./job-row.ts";
import { type Moment, moment, momentOf, type Page } from "./page.ts";
import { whereOf } from "./where.ts";

export interface JobData {
  readonly id: string;
  readonly href: string;
  readonly api: string;
  readonly mark: Mark;
  readonly open: boolean;
  readonly description: string;
  /** The repository, and the branch or pull request; blank for what belongs to none. */
  readonly where: string;
  readonly took: Took;
  readonly created: Moment;
  readonly started: Moment | undefined;
  readonly ended: Moment | undefined;
  readonly progress: JobRowData["progress"];
  readonly waitingFor: string;
  readonly error:
    | { readonly code: string; readonly message: string; readonly hint: string; readonly again: string }
    | undefined;
  readonly note: string;
  /** What of the log tells best why it failed; blank: nothing is known. */
  readonly headline: string;
  readonly facts: readonly { readonly name: string; readonly value: string; readonly href?: string }[];
  readonly because: readonly {
    readonly at: Moment;
    readonly kind: string;
    readonly subject: string;
    readonly href: string | undefined;
    readonly detail: string;
  }[];
  readonly inputs: readonly {
    readonly name: string;
    readonly text: string;
    readonly digest: string;
    readonly changed: boolean;
  }[];
  readonly history: readonly JobRowData[];
  readonly can: JobDetail["can"];
  /** Whether any of it can be done. */
  readonly signedIn: boolean;
  readonly csrf: string;
  readonly log: LogData | undefined;
}

export interface LogData {
  readonly lines: Html;
  /** Where the script goes on: byte, line and colours. */
  readonly next: number;
  readonly nextLine: number;
  readonly style: string;
  readonly skipped: string;
  readonly empty: boolean;
}

export const jobPage: Page = {
  method: "GET",
  path: "/job/:date/:id",
  role: "viewer",
  title: "Job",
  handler: async ({ view, clock }, { params, visitor, live }) => {
    const job = jobIn(view, params["date"], params["id"]);
    if (job === undefined) return undefined;
    const data = jobData(job, clock.now(), visitor.session?.csrf ?? "", canOf(view, visitor, job));
    const log = live ? undefined : await logTail(view, job.id);
    return {
      kind: "page",
      title: job.description,
      look: data.mark.look,
      body: render("job", { ...data, log: log && logData(log) }),
    };
  },
};

/** What this visitor can do with the job: what the job allows, and they may. */
function canOf(view: View, visitor: Visitor, job: JobDetail): JobData["can"] {
  if (visitor.session === undefined || !suffices(visitor.role, "builder")) return NOTHING;
  const theirs = notTheirs(view, visitor, job.term) === undefined;
  const { rebuild, cancel, start } = job.can;
  return { rebuild: rebuild && theirs, cancel: cancel && theirs, start: start && suffices(visitor.role, "admin") };
}

const NOTHING: JobData["can"] = { rebuild: false, cancel: false, start: false };

function jobData(job: JobDetail, now: number, csrf: string, can: JobData["can"]): Omit<JobData, "log"> {
  const { error } = job;
  return {
    id: job.id,
    href: `/job/${job.id}`,
    api: `/api/v1/jobs/${job.id}`,
    mark: markOfJob(job),
    open: job.endedMs === undefined,
    description: job.description,
    where: whereOf(job.term),
    took: took(job, now),
    created: moment(job.createdMs, now),
    started: momentOf(job.startedMs, now),
    ended: momentOf(job.endedMs, now),
    progress: job.state === "running" ? job.progress : undefined,
    waitingFor: job.waitingFor ?? "",
    error: error && {
      code: error.code,
      message: error.message,
      hint: error.hint ?? "",
      again: error.retryAtMs === undefined ? "" : iso(error.retryAtMs),
    },
    note: job.note ?? "",
    headline: job.headline ?? "",
    facts: factsOf(job),
    because: job.because.map(({ atMs, kind, subject, detail }) => ({
      at: moment(atMs, now),
      kind,
      subject,
      href: isJobId(subject) ? `/job/${subject}` : undefined,
      detail,
    })),
    inputs: job.inputs.map(({ name, text, digest, changed }) => ({ name, text, digest: digest.slice(0, 19), changed })),
    history: job.history.map((other) => jobRow(other, now)),
    can,
    signedIn: can.rebuild || can.cancel || can.start,
    csrf,
  };
}

function factsOf(job: JobDetail): JobData["facts"] {
  const facts = [
    { name: "term", value: job.term, href: `/query?term=${encodeURIComponent(job.term)}` },
    { name: "operation", value: job.op, href: `/query?op=${encodeURIComponent(job.op)}` },
    { name: "made at", value: job.at ?? "" },
    { name: "level", value: job.level ?? "" },
    { name: "pool", value: job.pool ?? "" },
    { name: "run", value: `#${job.build}` },
    { name: "id", value: job.id },
  ];
  return facts.filter((fact) => fact.value !== "");
}

function logData(log: Awaited<ReturnType<typeof logTail>>): LogData {
  return {
    lines: log.html,
    next: log.next,
    nextLine: log.nextLine,
    style: JSON.stringify(log.style),
    skipped: log.skippedLines === 0 ? "" : `${count(log.skippedLines, "earlier line")} not shown here`,
    empty: log.next === 0 && log.html.text === "",
  };
}
