import { isJobId } from "../engine/job.ts";
import type { JobDetail, View } from "../engine/view.ts";

/** The job that an address names, by its id's shape and then the engine's own look-up; no path is ever made of it. */
export function jobIn(view: View, date: string | undefined, rest: string | undefined): JobDetail | undefined {
  const id = `${date ?? ""}/${rest ?? ""}`;
  return isJobId(id) ? view.job(id) : undefined;
}
