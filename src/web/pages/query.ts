import { suffices } from "../../engine/access/identity.ts";
import { isJobId } from "../../engine/job.ts";
import type { JobFilter } from "../../engine/store/store.ts";
import { failure } from "../../term/output.ts";
import { jobStates } from "../api/schemas.ts";
import { notTheirs } from "../rights.ts";
import { count } from "../text.ts";
import { render } from "../views.ts";
import { type JobRowData, jobRow } from "./job-row.ts";
import { type Page, type Visit, whyOf } from "./page.ts";

const PAGE = 50;
/** What one press of Rebuild may start. */
const REBUILDS_MAX = 200;

export interface QueryData {
  readonly filter: { readonly term: string; readonly date: string; readonly text: string };
  readonly ops: readonly Choice[];
  readonly states: readonly Choice[];
  readonly filtered: boolean;
  readonly jobs: readonly JobRowData[];
  readonly older: string | undefined;
  readonly newest: string | undefined;
  /** Where a rebuild comes back to. */
  readonly here: string;
  readonly canAct: boolean;
  readonly csrf: string;
}

interface Choice {
  readonly value: string;
  readonly chosen: boolean;
}

export const queryPage: Page = {
  method: "GET",
  path: "/query",
  role: "viewer",
  title: "Query",
  menu: true,
  handler: ({ view, clock }, { query, visitor }) => {
    const filter = filterOf(query);
    const found = view.jobs({ ...filter, limit: PAGE + 1 });
    const jobs = found.slice(0, PAGE).map((job) => jobRow(job, clock.now()));
    const last = found.length > PAGE ? jobs.at(-1) : undefined;
    const { op = "", state = "", term = "", date = "", text = "", before } = query;
    const choices = (values: readonly string[], chosen: string): readonly Choice[] =>
      values.map((value) => ({ value, chosen: value === chosen }));
    const body = render("query", {
      filter: { term, date, text },
      ops: choices(view.operations(), op),
      states: choices(jobStates, state),
      filtered: [op, state, term, date, text].some((value) => value !== ""),
      jobs,
      older: last && address({ ...query, before: last.id }),
      newest: before === undefined ? undefined : address({ ...query, before: "" }),
      here: address(query),
      canAct: suffices(visitor.role, "builder") && visitor.session !== undefined,
      csrf: visitor.session?.csrf ?? "",
    });
    return { kind: "page", body };
  },
};

/** Rebuilds the selected jobs, and says which could not be. */
export const rebuildSelected: Page = {
  method: "POST",
  path: "/query",
  role: "builder",
  title: "Query",
  stores: true,
  handler: async ({ view, access }, { form, visitor }) => {
    const ids = (form["job"] ?? []).filter(isJobId).slice(0, REBUILDS_MAX);
    const refused: string[] = [];
    for (const id of ids) {
      const job = view.job(id);
      const foreign = job === undefined ? undefined : notTheirs(view, visitor, job.term);
      if (foreign !== undefined && visitor.identity !== undefined) {
        access.refused(visitor.identity, `POST /query ${id}`, foreign.message);
      }
      const result = foreign === undefined ? await view.act.rebuild(id, visitor.who, whyOf(form)) : failure(foreign);
      if (!result.ok) refused.push(`${id}: ${result.error.message}`);
    }
    const done = ids.length - refused.length;
    const text = [ids.length === 0 ? "Nothing was selected." : `${count(done, "job")} set to run again.`, ...refused];
    if (visitor.session !== undefined) visitor.session.notice = { good: refused.length === 0, text: text.join("\n") };
    return { kind: "redirect", to: hereOf(form["here"]?.[0]) };
  },
};

/** A blank or unknown value filters nothing. */
function filterOf(query: Visit["query"]): JobFilter {
  const state = jobStates.find((known) => known === query["state"]);
  const { op = "", term = "", date = "", text = "", before = "" } = query;
  return {
    ...(op === "" ? {} : { op }),
    ...(state === undefined ? {} : { state }),
    ...(term === "" ? {} : { term }),
    ...(date === "" ? {} : { date }),
    ...(text === "" ? {} : { text }),
    ...(isJobId(before) ? { before } : {}),
  };
}

function address(query: Visit["query"]): string {
  const fields = Object.entries(query).filter(([, value]) => value !== "");
  const search = new URLSearchParams(fields).toString();
  return search === "" ? "/query" : `/query?${search}`;
}

const hereOf = (here: string | undefined): string => (here?.startsWith("/query?") === true ? here : "/query");
