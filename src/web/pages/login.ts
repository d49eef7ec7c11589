import { type Readers, suffices } from "../../engine/access/identity.ts";
import { problem } from "../../engine/errors.ts";
import type { Failure } from "../../term/output.ts";
import { pathOnly } from "../path-only.ts";
import { Refused } from "../problems.ts";
import { noteRefused } from "../refusals.ts";
import { roleOf } from "../rights.ts";
import { type Html, iso } from "../text.ts";
import { render } from "../views.ts";
import type { Visitor } from "../visitor.ts";
import type { Web } from "../web.ts";
import type { Page, Visit } from "./page.ts";

export interface LoginData {
  readonly signedIn: boolean;
  readonly who: string;
  readonly role: string;
  /** When the session ends by itself. */
  readonly until: { readonly iso: string; readonly text: string };
  /** Other sessions of the same person. */
  readonly others: number;
  readonly to: string;
  readonly csrf: string;
  /** Why they were sent here; blank when they came by themselves. */
  readonly why: string;
  readonly refused: string;
  readonly readers: Readers;
  /** There is something that they may read. */
  readonly reads: boolean;
  /** Where people can sign in by name. */
  readonly provider: { readonly title: string; readonly href: string } | undefined;
}

export const loginPage: Page = {
  method: "GET",
  path: "/login",
  role: "none",
  title: "Sign in",
  handler: (web, visit) => ({
    kind: "page",
    body: render("login", loginData(web, visit, pathOnly(visit.query["to"]), "")),
  }),
};

/** The way in, for somebody who came to a page that is not for everybody. */
export const signInBody = (web: Web, visitor: Visitor, to: string, { message }: Failure): Html =>
  render("login", { ...loginData(web, { visitor }, pathOnly(to), ""), why: message });

function loginData({ access }: Web, { visitor }: Pick<Visit, "visitor">, to: string, refused: string): LoginData {
  const { session, who, name } = visitor;
  const { provider } = access;
  return {
    signedIn: session !== undefined,
    who: name,
    role: roleOf(visitor),
    until: untilOf(session?.expiresMs ?? 0),
    others: session === undefined ? 0 : access.sessions.of(who).length - 1,
    to,
    csrf: session?.csrf ?? "",
    why: "",
    refused,
    readers: access.readers,
    reads: suffices(visitor.role, "viewer"),
    provider: provider && { title: provider.title, href: `/login/${provider.id}?to=${encodeURIComponent(to)}` },
  };
}

/** To the minute: `2026-11-28 15:36 UTC`. */
function untilOf(ms: number): LoginData["until"] {
  const exact = iso(ms);
  return { iso: exact, text: `${exact.slice(0, 16).replace("T", " ")} UTC` };
}

/** Takes a token and opens a session; ten wrong ones a minute from one address, then none. */
export const login: Page = {
  method: "POST",
  path: "/login",
  role: "none",
  title: "Sign in",
  handler: (web, visit) => {
    const { access, failures } = web;
    const { visitor, form, caller } = visit;
    if (failures.waitMs(caller) > 0) {
      throw new Refused(429, problem("TOO_MANY_TRIES", "too many wrong tokens from this address"));
    }
    const to = pathOnly(form["to"]?.[0]);
    const identity = access.identityOfToken((form["token"]?.[0] ?? "").trim());
    if (identity !== undefined) {
      const { secret } = access.signIn(identity, visitor.session);
      return { kind: "redirect", to, session: secret };
    }
    failures.failed(caller);
    noteRefused(web, visitor, caller, "POST /login", problem("LOGIN_REFUSED", "the token is wrong"));
    const refused = "That is not a token of this server.";
    return { kind: "page", status: 403, body: render("login", loginData(web, visit, to, refused)) };
  },
};

export const logout: Page = {
  method: "POST",
  path: "/logout",
  role: "none",
  title: "Sign out",
  handler: async ({ access }, { visitor: { session } }) => {
    if (session !== undefined) await access.signOut(session);
    return { kind: "redirect", to: "/", session: "" };
  },
};

export const logoutEverywhere: Page = {
  method: "POST",
  path: "/logout/everywhere",
  role: "none",
  title: "Sign out",
  handler: async ({ access }, { visitor: { session, who } }) => {
    if (session !== undefined) await access.endSessions(who, who);
    return { kind: "redirect", to: "/", session: "" };
  },
};
