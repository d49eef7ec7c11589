import { type Standing, suffices } from "../engine/access/identity.ts";
import { accessPage, endSessions, revokeToken } from "./pages/access.ts";
import { adoptTerm, cancelJob, rebuildJob, setConfirm, startJob } from "./pages/act.ts";
import { approvalPage } from "./pages/approval.ts";
import { approvalsPage, approveCommit } from "./pages/approvals.ts";
import { auditPage } from "./pages/audit.ts";
import { checksPage } from "./pages/checks.ts";
import { historyPage } from "./pages/history.ts";
import { homePage } from "./pages/home.ts";
import { jobPage } from "./pages/job.ts";
import { jobsPage } from "./pages/jobs.ts";
import {
  importLogRules,
  logRulesCsv,
  logRulesPage,
  putLogRule,
  removeLogRule,
  testLogRule,
} from "./pages/log-rules.ts";
import { login, loginPage, logout, logoutEverywhere } from "./pages/login.ts";
import type { Page } from "./pages/page.ts";
import { favicon, pipelineSvg } from "./pages/pictures.ts";
import { queryPage, rebuildSelected } from "./pages/query.ts";
import { beginSignIn, finishSignIn } from "./pages/sign-in.ts";

/** Everything a browser can ask for. A page is one line here, a handler, and a view; the menu derives from it. */
export const site: readonly Page[] = [
  homePage,
  checksPage,
  historyPage,
  jobsPage,
  queryPage,
  approvalsPage,
  approvalPage,
  logRulesPage,
  auditPage,
  accessPage,
  revokeToken,
  endSessions,
  jobPage,
  rebuildJob,
  cancelJob,
  startJob,
  rebuildSelected,
  setConfirm,
  adoptTerm,
  approveCommit,
  logRulesCsv,
  testLogRule,
  putLogRule,
  removeLogRule,
  importLogRules,
  pipelineSvg,
  favicon,
  loginPage,
  login,
  logout,
  logoutEverywhere,
  beginSignIn,
  finishSignIn,
];

/** The pages of the menu that somebody of this role may see. */
export const menuFor = (role: Standing): readonly { readonly href: string; readonly title: string }[] =>
  site
    .filter((page) => page.menu === true && suffices(role, page.role))
    .map(({ path, title }) => ({ href: path, title }));
