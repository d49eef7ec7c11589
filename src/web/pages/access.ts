import type { ApiToken } from "../../engine/access/api-tokens.ts";
import { whoOf } from "../../engine/access/identity.ts";
import type { Session } from "../../engine/access/sessions.ts";
import type { Mark } from "../looks.ts";
import { recordedWith } from "../problems.ts";
import { count } from "../text.ts";
import { render } from "../views.ts";
import { type Answer, type Moment, moment, momentOf, type Page, type Visit, whyOf } from "./page.ts";

export interface AccessData {
  readonly tokens: readonly TokenRow[];
  readonly people: readonly PersonRow[];
  /** Blank for a token: forms are for those who are signed in. */
  readonly csrf: string;
}

interface TokenRow {
  readonly name: string;
  readonly mark: Mark;
  readonly about: string;
  readonly createdBy: string;
  readonly created: Moment;
  /** When it ended, or will; undefined: never by itself. */
  readonly ends: Moment | undefined;
  readonly lives: boolean;
}

/** All sessions of one person or token. */
interface PersonRow {
  readonly who: string;
  readonly sessions: string;
  readonly newest: Moment;
  readonly until: Moment;
  readonly isSelf: boolean;
}

const changing = { method: "POST", role: "admin", title: "Access" } as const;

/** Who is signed in, and which tokens for programs there are. */
export const accessPage: Page = {
  method: "GET",
  path: "/access",
  role: "admin",
  title: "Access",
  menu: true,
  handler: ({ access, clock }, { visitor }) => {
    const now = clock.now();
    const rows = access.tokens.list().map((token) => tokenRow(token, now));
    const body = render("access", {
      tokens: rows.toSorted((a, b) => Number(b.lives) - Number(a.lives)),
      people: peopleOf(access.sessions.list(), visitor.who, now),
      csrf: visitor.session?.csrf ?? "",
    });
    return { kind: "page", body };
  },
};

export const revokeToken: Page = {
  ...changing,
  path: "/access/revoke",
  stores: true,
  handler: async ({ access }, { form, visitor }) => {
    const name = form["name"]?.[0] ?? "";
    const revoked = await access.revokeToken(name, visitor.who, whyOf(form));
    if (!revoked.ok) throw recordedWith(revoked.error);
    return tell(visitor, `The token ${name} is worth nothing any more.`);
  },
};

export const endSessions: Page = {
  ...changing,
  path: "/access/end",
  handler: async ({ access }, { form, visitor }) => {
    const who = form["who"]?.[0] ?? "";
    const ended = await access.endSessions(who, visitor.who, whyOf(form));
    return tell(visitor, `${count(ended, "session")} of ${who} ended.`);
  },
};

function tokenRow(token: ApiToken, now: number): TokenRow {
  const { name, role, services, createdMs, createdBy, expiresMs, revokedMs } = token;
  const isOver = expiresMs !== undefined && expiresMs <= now;
  const ended = revokedMs === undefined ? (isOver ? "over" : undefined) : "revoked";
  return {
    name,
    mark: ended === undefined ? { look: "ok", word: "valid" } : { look: "cancelled", word: ended },
    about: services === undefined ? role : `${role} for ${services.join(", ")}`,
    createdBy,
    created: moment(createdMs, now),
    ends: momentOf(revokedMs ?? expiresMs, now),
    lives: ended === undefined,
  };
}

/** Who signed in last comes first. */
function peopleOf(sessions: readonly Session[], self: string, now: number): readonly PersonRow[] {
  const byWho = new Map<string, Session[]>();
  for (const session of sessions.toReversed()) {
    const who = whoOf(session.identity);
    byWho.set(who, [...(byWho.get(who) ?? []), session]);
  }
  return [...byWho].map(([who, own]) => ({
    who,
    sessions: count(own.length, "session"),
    newest: moment(Math.max(...own.map(({ openedMs }) => openedMs)), now),
    until: moment(Math.max(...own.map(({ expiresMs }) => expiresMs)), now),
    isSelf: who === self,
  }));
}

function tell(visitor: Visit["visitor"], text: string): Answer {
  if (visitor.session !== undefined) visitor.session.notice = { good: true, text };
  return { kind: "redirect", to: "/access" };
}
