import type { Role } from "../../engine/access/identity.ts";
import { problem } from "../../engine/errors.ts";
import { isLevel } from "../../engine/level.ts";
import type { ActionResult } from "../../engine/view.ts";
import { jobIn } from "../job-id.ts";
import { outcomeOf, Refused } from "../problems.ts";
import { notTheirs } from "../rights.ts";
import type { Web } from "../web.ts";
import { type Answer, type Page, type Visit, whyOf } from "./page.ts";

const acting = { method: "POST", role: "admin", stores: true } as const;

export const rebuildJob = jobAction("rebuild", "builder", "The job runs again.", ({ view }, id, { visitor, form }) =>
  view.act.rebuild(id, visitor.who, whyOf(form)),
);

export const cancelJob = jobAction(
  "cancel",
  "builder",
  "The job is being cancelled.",
  ({ view }, id, { visitor, form }) => view.act.cancel(id, visitor.who, whyOf(form) || "cancelled on its page"),
);

export const startJob = jobAction("start", "admin", "The job may start now.", ({ view }, id, { visitor, form }) =>
  view.act.start(id, visitor.who, whyOf(form)),
);

export const setConfirm: Page = {
  ...acting,
  path: "/confirm",
  title: "Confirm threshold",
  handler: async ({ view }, { form, visitor }) => {
    const threshold = form["threshold"]?.[0] ?? "";
    if (threshold !== "none" && !isLevel(threshold)) {
      throw new Refused(400, problem("BAD_REQUEST", `"${threshold.slice(0, 40)}" is neither a level nor "none"`));
    }
    outcomeOf(await view.act.confirm(threshold, visitor.who, whyOf(form)));
    return tell(visitor, "/", `The confirm threshold is ${threshold} now.`);
  },
};

export const adoptTerm: Page = {
  ...acting,
  path: "/adopt",
  title: "Adopt",
  handler: async ({ view }, { form, visitor }) => {
    outcomeOf(await view.act.adopt(form["term"]?.[0] ?? "", visitor.who, whyOf(form)));
    return tell(visitor, "/", "What runs there is accepted.");
  },
};

/** A button of a job's page: acts, then goes back to the job, or on to the new one. */
function jobAction(
  name: string,
  role: Role,
  done: string,
  act: (web: Web, id: string, visit: Visit) => Promise<ActionResult>,
): Page {
  return {
    ...acting,
    role,
    path: `/job/:date/:id/${name}`,
    title: "Job",
    handler: async (web, visit) => {
      const job = jobIn(web.view, visit.params["date"], visit.params["id"]);
      if (job === undefined) return undefined;
      const foreign = notTheirs(web.view, visit.visitor, job.term);
      if (foreign !== undefined) throw new Refused(403, foreign);
      const next = outcomeOf(await act(web, job.id, visit));
      return tell(visit.visitor, `/job/${next.job ?? job.id}`, done);
    },
  };
}

function tell(visitor: Visit["visitor"], to: string, text: string): Answer {
  if (visitor.session !== undefined) visitor.session.notice = { good: true, text };
  return { kind: "redirect", to };
}
