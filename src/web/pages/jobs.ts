import { render } from "../views.ts";
import { type JobRowData, jobRow } from "./job-row.ts";
import type { Page } from "./page.ts";

const RECENT = 50;
const OPEN_MAX = 100;

export interface JobsData {
  readonly open: readonly JobRowData[];
  /** How many more wait; blank when all are shown. */
  readonly more: string;
  readonly recent: readonly JobRowData[];
}

export const jobsPage: Page = {
  method: "GET",
  path: "/jobs",
  role: "viewer",
  title: "Jobs",
  menu: true,
  handler: ({ view, clock }) => {
    const now = clock.now();
    const open = view.openJobs(OPEN_MAX);
    const { ready, waiting, running } = view.openCounts();
    const more = ready + waiting + running - open.length;
    const recent = view.jobs({ ended: true, limit: RECENT });
    return {
      kind: "page",
      body: render("jobs", {
        open: open.map((job) => jobRow(job, now)),
        more: more > 0 ? more.toLocaleString("en-US") : "",
        recent: recent.map((job) => jobRow(job, now)),
      }),
    };
  },
};
