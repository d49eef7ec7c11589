import { problem } from "../../engine/errors.ts";
import type { JobDetail, View } from "../../engine/view.ts";
import { jobIn } from "../job-id.ts";
import { Refused } from "../problems.ts";

/** The job that the address names, or 404. */
export function lookUp(view: View, path: { readonly date: string; readonly id: string }): JobDetail {
  const job = jobIn(view, path.date, path.id);
  if (job === undefined) throw new Refused(404, problem("NOT_FOUND", "there is no job with this id"));
  return job;
}
