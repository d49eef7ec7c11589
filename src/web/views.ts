import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Eta } from "eta";
import type { AccessData } from "./pages/access.ts";
import type { ApprovalData } from "./pages/approval.ts";
import type { ApprovalsData } from "./pages/approvals.ts";
import type { AuditData } from "./pages/audit.ts";
import type { ChecksData } from "./pages/checks.ts";
import type { HistoryData } from "./pages/history.ts";
import type { HomeData } from "./pages/home.ts";
import type { JobData } from "./pages/job.ts";
import type { JobsData } from "./pages/jobs.ts";
import type { LogRulesData } from "./pages/log-rules.ts";
import type { LoginData } from "./pages/login.ts";
import type { QueryData } from "./pages/query.ts";
import type { ShellData } from "./shell.ts";
import { escape, Html } from "./text.ts";

/** The templates that are called from code, with what each is given (as `it`). */
export interface Views {
  readonly shell: ShellData;
  readonly home: HomeData;
  readonly history: HistoryData;
  readonly jobs: JobsData;
  readonly job: JobData;
  readonly checks: ChecksData;
  readonly query: QueryData;
  readonly login: LoginData;
  readonly access: AccessData;
  readonly audit: AuditData;
  readonly approval: ApprovalData;
  readonly approvals: ApprovalsData;
  readonly "log-rules": LogRulesData;
  readonly problem: {
    readonly status: number;
    readonly message: string;
    readonly hint: string;
    readonly login: boolean;
    /** Whoever sees it may read the pages that it leads to. */
    readonly reads: boolean;
  };
}

const folder = fileURLToPath(new URL("views/", import.meta.url));
const eta = new Eta({
  views: folder,
  cache: true,
  // The one place where markup passes as it is: only what our renderers made is an Html.
  escapeFunction: (value: unknown) => (value instanceof Html ? value.text : escape(textOf(value))),
});

/** Fills a template. Everything is escaped but `Html`. */
export function render<K extends keyof Views>(name: K, data: Views[K]): Html {
  return new Html(eta.render(`./${name}`, data));
}

/** Names of all template files, for the test that looks for raw tags. */
export const templates = (): readonly string[] => readdirSync(folder).toSorted();

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : "";
}
