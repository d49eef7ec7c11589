import { problem } from "../../engine/errors.ts";
import { Refused } from "../problems.ts";
import { matches } from "../session.ts";
import { render } from "../views.ts";
import type { Page } from "./page.ts";

export interface LoginData {
  readonly signedIn: boolean;
  readonly who: string;
  readonly to: string;
  readonly csrf: string;
  readonly refused: string;
}

export const loginPage: Page = {
  method: "GET",
  path: "/login",
  role: "viewer",
  title: "Sign in",
  handler: (_web, { visitor, query }) => ({
    kind: "page",
    body: render("login", {
      signedIn: visitor.session !== undefined,
      who: visitor.who,
      to: pathOnly(query["to"]),
      csrf: visitor.session?.csrf ?? "",
      refused: "",
    }),
  }),
};

/** Takes the token and opens a session; ten wrong ones a minute from one address, then none. */
export const login: Page = {
  method: "POST",
  path: "/login",
  role: "viewer",
  title: "Sign in",
  handler: ({ token, sessions, failures }, { visitor, form, address }) => {
    if (failures.waitMs(address) > 0) {
      throw new Refused(429, problem("TOO_MANY_TRIES", "too many wrong tokens from this address"));
    }
    const to = pathOnly(form["to"]?.[0]);
    if (matches((form["token"]?.[0] ?? "").trim(), token)) {
      return { kind: "redirect", to, session: sessions.open("token", visitor.session?.id).id };
    }
    failures.failed(address);
    const refused = "That is not the token of this server.";
    const data = { signedIn: false, who: "", to, csrf: "", refused };
    return { kind: "page", status: 403, body: render("login", data) };
  },
};

export const logout: Page = {
  method: "POST",
  path: "/logout",
  role: "viewer",
  title: "Sign out",
  handler: ({ sessions }, { visitor }) => {
    if (visitor.session !== undefined) sessions.close(visitor.session.id);
    return { kind: "redirect", to: "/", session: "" };
  },
};

/** A path of this site to return to: never another host's address. */
function pathOnly(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : "/";
}
