import type { JobDetail, View } from "../engine/view.ts";

const ID = /^\d{4}-\d{2}-\d{2}\/\d{6}-[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/;

/** The job that an address names, by its id's shape and then the engine's own look-up; no path is ever made of it. */
export function jobIn(view: View, date: string | undefined, rest: string | undefined): JobDetail | undefined {
  const id = `${date ?? ""}/${rest ?? ""}`;
  return isJobId(id) ? view.job(id) : undefined;
}

export const isJobId = (id: string): boolean => ID.test(id);
