import { suffices } from "../../engine/access/identity.ts";
import type { Waiting } from "../../engine/approvals.ts";
import { problem } from "../../engine/errors.ts";
import type { Approvable } from "../../engine/view.ts";
import { outcomeOf, Refused } from "../problems.ts";
import { count } from "../text.ts";
import { render } from "../views.ts";
import { approvableIn, hrefOf } from "./approval.ts";
import { type Moment, moment, type Page, type Visit, whyOf } from "./page.ts";

const PAGE = 50;

export interface ApprovalsData {
  readonly headline: string;
  readonly waiting: readonly (Waiting & { readonly since: Moment; readonly href: string | undefined })[];
  /** Addresses of what comes before and after. */
  readonly before: string | undefined;
  readonly next: string | undefined;
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
  handler: ({ view, clock }, { visitor, query }) => {
    const all = view.approvals();
    const from = placeIn(query["from"], all.length);
    const waiting = all.slice(from, from + PAGE).map((one) => ({
      ...one,
      since: moment(one.sinceMs, clock.now()),
      href: hrefOf(one),
    }));
    const headline = all.length === 0 ? "Nothing waits for approval" : `${count(all.length, "commit")} to look at`;
    const before = from === 0 ? undefined : addressOf(from - PAGE);
    const next = from + PAGE < all.length ? addressOf(from + PAGE) : undefined;
    const reviews = suffices(visitor.role, "admin");
    return { kind: "page", body: render("approvals", { headline, waiting, before, next, reviews }) };
  },
};

/** Where a page begins; the last one, when those that it was about have been approved. */
function placeIn(from: string | undefined, length: number): number {
  const wanted = /^\d{1,6}$/.test(from ?? "") ? Number(from) : 0;
  const last = Math.max(0, length - 1);
  return Math.floor(Math.min(wanted, last) / PAGE) * PAGE;
}

const addressOf = (from: number): string => (from <= 0 ? "/approvals" : `/approvals?from=${from}`);

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
