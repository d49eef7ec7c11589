import { suffices } from "../../engine/access/identity.ts";
import type { Waiting } from "../../engine/approvals.ts";
import { problem } from "../../engine/errors.ts";
import type { Approvable } from "../../engine/view.ts";
import { outcomeOf, Refused } from "../problems.ts";
import { count } from "../text.ts";
import { render } from "../views.ts";
import { approvableIn, hrefOf } from "./approval.ts";
import { type Moment, moment, type Page, type Visit, whyOf } from "./page.ts";

export interface ApprovalsData {
  readonly headline: string;
  readonly waiting: readonly (Waiting & { readonly since: Moment; readonly href: string | undefined })[];
  /** Those who may approve look at what changed first: the button is there. */
  readonly reviews: boolean;
}

/** Strangers' commits that are not built before a maintainer has looked at them. */
export const approvalsPage: Page = {
  method: "GET",
  path: "/approvals",
  role: "viewer",
  title: "Approvals",
  menu: true,
  handler: ({ view, clock }, { visitor }) => {
    const waiting = view.approvals().map((one) => ({
      ...one,
      since: moment(one.sinceMs, clock.now()),
      href: hrefOf(one),
    }));
    const headline =
      waiting.length === 0 ? "Nothing waits for approval" : `${count(waiting.length, "commit")} to look at`;
    const reviews = suffices(visitor.role, "admin");
    return { kind: "page", body: render("approvals", { headline, waiting, reviews }) };
  },
};

export const approveCommit: Page = {
  method: "POST",
  role: "admin",
  stores: true,
  path: "/approve",
  title: "Approve",
  handler: async ({ view }, { form, visitor }) => {
    const which = whichOf(form);
    outcomeOf(await view.act.approve(which, visitor.who, whyOf(form)));
    const text = `#${which.pull} is built at ${which.commit.slice(0, 8)}. A new push to it waits again.`;
    if (visitor.session !== undefined) visitor.session.notice = { good: true, text };
    return { kind: "redirect", to: "/approvals" };
  },
};

function whichOf(form: Visit["form"]): Approvable {
  const which = approvableIn((name) => form[name]?.[0] ?? "");
  if (which !== undefined) return which;
  throw new Refused(400, problem("BAD_REQUEST", "the form names no commit of a pull request"));
}
