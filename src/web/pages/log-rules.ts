import { suffices } from "../../engine/access/identity.ts";
import type { LogRuleDesk } from "../../engine/log-rules/desk.ts";
import type { Tested } from "../../engine/log-rules/log-rules.ts";
import { CSV_CHARS_MAX, type LogRule, RULES_MAX, SCORE_MAX } from "../../engine/log-rules/rule.ts";
import type { Result } from "../../term/output.ts";
import { recordedWith, tooLongCsv } from "../problems.ts";
import { count } from "../text.ts";
import { render } from "../views.ts";
import type { Visitor } from "../visitor.ts";
import { type Answer, type Page, type Visit, whyOf } from "./page.ts";

export interface LogRulesData {
  readonly rules: readonly (LogRule & { readonly slowIn: string | undefined })[];
  readonly limits: { readonly score: number; readonly rules: number; readonly csv: number };
  /** What stands in the form: a rule that was tried. */
  readonly draft: { readonly pattern: string; readonly report: string; readonly score: string };
  readonly tested: { readonly about: string; readonly matches: Tested["matches"] } | undefined;
  /** Blank for those who may not change rules. */
  readonly csrf: string;
}

/** A form has up to three bytes for one of its text. */
const IMPORT_BYTES_MAX = 4 * 1024 * 1024;
const SCORE = 50;
const changing = { method: "POST", role: "admin", stores: true, title: "Log rules" } as const;

/** What is looked for in the logs of jobs that failed. */
export const logRulesPage: Page = {
  method: "GET",
  path: "/log-rules",
  role: "viewer",
  title: "Log rules",
  menu: true,
  handler: ({ view }, { visitor }) =>
    pageOf(view.logRules, visitor, { pattern: "", report: "", score: String(SCORE) }, undefined),
};

export const logRulesCsv: Page = {
  method: "GET",
  path: "/log-rules/rules.csv",
  role: "viewer",
  title: "Log rules",
  handler: ({ view }) => ({ kind: "document", type: "text/csv; charset=utf-8", text: view.logRules.csv() }),
};

export const testLogRule: Page = {
  method: "POST",
  path: "/log-rules/test",
  role: "admin",
  title: "Log rules",
  handler: async ({ view }, { form, visitor }) => {
    const draft = draftOf(form);
    const tested = valueOf(await view.logRules.test({ ...draft, score: 0 }));
    return pageOf(view.logRules, visitor, draft, tested);
  },
};

export const putLogRule: Page = {
  ...changing,
  path: "/log-rules",
  handler: async ({ view }, { form, visitor }) => {
    const draft = draftOf(form);
    const score = /^\d{1,9}$/.test(draft.score) ? Number(draft.score) : Number.NaN;
    valueOf(await view.logRules.put({ ...draft, score }, visitor.who, whyOf(form)));
    return tell(visitor, "The log rule is kept.");
  },
};

export const removeLogRule: Page = {
  ...changing,
  path: "/log-rules/remove",
  handler: async ({ view }, { form, visitor }) => {
    valueOf(await view.logRules.remove(form["pattern"]?.[0] ?? "", visitor.who, whyOf(form)));
    return tell(visitor, "The log rule is removed.");
  },
};

export const importLogRules: Page = {
  ...changing,
  path: "/log-rules/import",
  fieldCharsMax: IMPORT_BYTES_MAX,
  bodyBytesMax: IMPORT_BYTES_MAX,
  handler: async ({ view }, { form, visitor }) => {
    const csv = form["csv"]?.[0] ?? "";
    const tooLong = tooLongCsv(csv);
    if (tooLong !== undefined) throw tooLong;
    const number = valueOf(await view.logRules.import(csv, visitor.who, whyOf(form)));
    return tell(visitor, `${count(number, "log rule")} imported.`);
  },
};

function pageOf(desk: LogRuleDesk, visitor: Visitor, draft: LogRulesData["draft"], tested: Tested | undefined): Answer {
  const slow = desk.slow();
  const body = render("log-rules", {
    rules: desk.list().map((rule) => ({ ...rule, slowIn: slow.get(rule.pattern) })),
    limits: { score: SCORE_MAX, rules: RULES_MAX, csv: CSV_CHARS_MAX },
    draft,
    tested: tested && { about: aboutOf(tested), matches: tested.matches },
    csrf: suffices(visitor.role, "admin") ? (visitor.session?.csrf ?? "") : "",
  });
  return { kind: "page", body };
}

function aboutOf({ matches, logs, cut }: Tested): string {
  const found = matches.length === 0 ? "Nothing found" : `Found in ${count(matches.length, "log")}`;
  return `${found}, of ${count(logs, "log")} of failed jobs${cut ? "; then the time was up" : ""}.`;
}

function draftOf(form: Visit["form"]): LogRulesData["draft"] {
  const field = (name: string): string => form[name]?.[0] ?? "";
  return { pattern: field("pattern"), report: field("report"), score: field("score") };
}

function tell(visitor: Visitor, text: string): Answer {
  if (visitor.session !== undefined) visitor.session.notice = { good: true, text };
  return { kind: "redirect", to: "/log-rules" };
}

/** The value, or the end of the request. */
function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw recordedWith(result.error);
  return result.value;
}
