import { suffices } from "../engine/access/identity.ts";
import { type Look, overall, symbols } from "./looks.ts";
import { roleOf } from "./rights.ts";
import type { Html } from "./text.ts";
import { render } from "./views.ts";
import type { Visitor } from "./visitor.ts";
import type { Web } from "./web.ts";

/** The frame of every page. */
export interface ShellData {
  readonly title: string;
  readonly flavour: string;
  readonly version: string;
  readonly assets: string;
  readonly look: Look;
  readonly lookSymbol: string;
  readonly menu: readonly { readonly href: string; readonly title: string; readonly current: boolean }[];
  readonly banners: readonly { readonly level: string; readonly text: string }[];
  readonly notice: { readonly good: boolean; readonly text: string } | undefined;
  readonly visitor: {
    readonly who: string;
    /** What they may do, for hovering over their name. */
    readonly role: string;
    readonly signedIn: boolean;
    readonly csrf: string;
  };
  readonly loginHref: string;
  /** Why it is not known what the visitor may do, and where they can sign in again. */
  readonly doubt: { readonly text: string; readonly again: string } | undefined;
  readonly symbols: readonly { readonly look: string; readonly path: string }[];
  /** What moves is shown, and kept up to date: not to those who may not read. */
  readonly reads: boolean;
  readonly body: Html;
}

export interface Framed {
  readonly title: string;
  readonly body: Html;
  /** Asked for by the script: what is shown once waits for the person. */
  readonly live: boolean;
  /** Path of the page, to mark it in the menu. */
  readonly path: string;
  /** Address to come back to after signing in. */
  readonly here: string;
  /** State in the tab's icon; default that of the whole. */
  readonly look?: Look;
}

/** One character before the title of the tab, so that many tabs can be told apart. */
const TITLE_SYMBOLS: Readonly<Record<Look, string>> = {
  ok: "✓",
  ready: "○",
  waiting: "‖",
  running: "▸",
  failed: "✗",
  trouble: "△",
  blocked: "⊘",
  cancelled: "□",
  interrupted: "↯",
};

export function frame(
  web: Web,
  visitor: Visitor,
  menu: readonly { readonly href: string; readonly title: string }[],
  page: Framed,
): Html {
  const { view, assets } = web;
  const { session } = visitor;
  const reads = suffices(visitor.role, "viewer");
  const look = reads ? (page.look ?? overall(view.stats(), view.graph().nodes)) : "ready";
  const notice = session?.notice;
  if (session !== undefined && !page.live) delete session.notice;
  return render("shell", {
    title: page.title,
    flavour: view.flavour,
    version: view.version,
    assets: assets.base,
    look,
    lookSymbol: TITLE_SYMBOLS[look],
    menu: menu.map((entry) => ({ ...entry, current: entry.href === page.path })),
    banners: reads ? view.banners().map(({ level, text }) => ({ level, text })) : [],
    reads,
    notice,
    visitor: { who: visitor.name, role: roleOf(visitor), signedIn: session !== undefined, csrf: session?.csrf ?? "" },
    doubt: doubtOf(web, visitor, page.here),
    loginHref: `/login?to=${encodeURIComponent(page.here)}`,
    symbols: Object.entries(symbols).map(([name, path]) => ({ look: name, path })),
    body: page.body,
  });
}

function doubtOf({ access }: Web, { doubt, session }: Visitor, here: string): ShellData["doubt"] {
  if (doubt === undefined || session === undefined || access.provider === undefined) return undefined;
  return { text: doubt, again: `/login/${access.provider.id}?to=${encodeURIComponent(here)}` };
}
