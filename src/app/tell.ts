import type { Observable, Subscription } from "rxjs";
import type { JobView } from "../engine/view.ts";
import { fieldsOf } from "./fields.ts";
import type { Io } from "./io.ts";
import { printJobs } from "./job-text.ts";

/** Prints each job when it waits for a person and when it has ended; with `verbose` in every state that it takes. */
export function tellJobs(io: Io, jobs: Observable<JobView>, verbose: boolean): Subscription {
  const open = new Map<string, JobView["state"]>();
  return jobs.subscribe((job) => {
    const moved = open.get(job.id) !== job.state;
    const ended = job.endedMs !== undefined;
    if (ended) open.delete(job.id);
    else open.set(job.id, job.state);
    if (moved && (verbose || ended || job.state === "waiting")) printJobs(io, [fieldsOf(job)]);
  });
}
