import { render } from "../views.ts";
import { type JobRowData, jobRow } from "./job-row.ts";
import type { Page } from "./page.ts";

const RECENT = 50;

export interface JobsData {
  readonly open: readonly JobRowData[];
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
    const open = view.openJobs();
    const ids = new Set<string>(open.map((job) => job.id));
    const recent = view.jobs({ limit: RECENT + open.length }).filter((job) => !ids.has(job.id));
    return {
      kind: "page",
      body: render("jobs", {
        open: open.map((job) => jobRow(job, now)),
        recent: recent.slice(0, RECENT).map((job) => jobRow(job, now)),
      }),
    };
  },
};
