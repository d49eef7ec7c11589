import { adoptTerm, cancelJob, rebuildJob, setConfirm, startJob } from "./pages/act.ts";
import { homePage } from "./pages/home.ts";
import { jobPage } from "./pages/job.ts";
import { jobsPage } from "./pages/jobs.ts";
import { login, loginPage, logout } from "./pages/login.ts";
import type { Page } from "./pages/page.ts";
import { favicon, pipelineSvg } from "./pages/pictures.ts";
import { queryPage, rebuildSelected } from "./pages/query.ts";

/** Everything a browser can ask for. A page is one line here, a handler, and a view; the menu derives from it. */
export const site: readonly Page[] = [
  homePage,
  jobsPage,
  queryPage,
  jobPage,
  rebuildJob,
  cancelJob,
  startJob,
  rebuildSelected,
  setConfirm,
  adoptTerm,
  pipelineSvg,
  favicon,
  loginPage,
  login,
  logout,
];

export const menu = site.filter((page) => page.menu === true).map(({ path, title }) => ({ href: path, title }));
