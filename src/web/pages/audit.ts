import { isJobId } from "../../engine/job.ts";
import type { AuditFilter } from "../../engine/store/store.ts";
import { render } from "../views.ts";
import { type Moment, moment, type Page, type Visit } from "./page.ts";

const PAGE = 100;

export interface AuditData {
  readonly who: string;
  readonly what: string;
  readonly filtered: boolean;
  readonly entries: readonly {
    readonly id: number;
    readonly at: Moment;
    readonly who: string;
    readonly what: string;
    readonly refused: boolean;
    readonly subject: string;
    readonly href: string | undefined;
    readonly detail: string;
  }[];
  readonly older: string | undefined;
  readonly newest: string | undefined;
}

/** Who did what, and what was refused. For those who may act: it names people. */
export const auditPage: Page = {
  method: "GET",
  path: "/audit",
  role: "builder",
  title: "Audit",
  menu: true,
  handler: ({ view, clock }, { query }) => {
    const { who = "", what = "", before } = query;
    const found = view.audit(PAGE + 1, filterOf(query));
    const entries = found.slice(0, PAGE).map(({ id, atMs, who, what, subject, detail }) => ({
      id,
      at: moment(atMs, clock.now()),
      who,
      what,
      refused: what === "refused" || detail.startsWith("refused: "),
      subject,
      href: isJobId(subject) ? `/job/${subject}` : undefined,
      detail,
    }));
    const last = found.length > PAGE ? entries.at(-1) : undefined;
    const body = render("audit", {
      who,
      what,
      filtered: who !== "" || what !== "",
      entries,
      older: last && address({ who, what, before: String(last.id) }),
      newest: before === undefined ? undefined : address({ who, what }),
    });
    return { kind: "page", body };
  },
};

/** A blank field or a number that is none filters nothing. */
function filterOf({ who = "", what = "", before = "" }: Visit["query"]): AuditFilter {
  return {
    ...(who === "" ? {} : { who }),
    ...(what === "" ? {} : { what }),
    ...(/^\d{1,15}$/.test(before) ? { before: Number(before) } : {}),
  };
}

function address(query: Visit["query"]): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return search === "" ? "/audit" : `/audit?${search}`;
}
