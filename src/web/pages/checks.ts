import type { Look } from "../looks.ts";
import { count } from "../text.ts";
import { render } from "../views.ts";
import { type Checked, checkedOf } from "./checked.ts";
import type { Page, Visit } from "./page.ts";

/** Thousands of branches are filtered, not scrolled through. */
const ROWS_MAX = 200;

export interface ChecksData {
  readonly repos: readonly { readonly value: string; readonly chosen: boolean }[];
  readonly states: readonly { readonly value: string; readonly text: string; readonly chosen: boolean }[];
  readonly text: string;
  readonly filtered: boolean;
  /** Nothing is checked at all. */
  readonly none: boolean;
  /** `51 branches and 20 pull requests: 2 failed, 5 waiting, 64 ok`. */
  readonly sum: string;
  readonly groups: readonly { readonly repo: string; readonly rows: readonly Checked[] }[];
  readonly more: number;
}

const STATES: Readonly<Record<string, { readonly text: string; readonly looks: readonly Look[] }>> = {
  failed: { text: "failed", looks: ["failed", "trouble"] },
  waiting: { text: "waiting for a person", looks: ["waiting"] },
  open: { text: "at work or queued", looks: ["running", "ready"] },
  ok: { text: "ok", looks: ["ok"] },
};

/** How the newest commit of every branch and open pull request does: a commit once, under the first of its names. */
export const checksPage: Page = {
  method: "GET",
  path: "/checks",
  role: "viewer",
  title: "Checks",
  menu: true,
  handler: ({ view }, { query }) => {
    const all = checkedOf(view.graph().nodes);
    const { repo = "", state = "", text = "" } = query;
    const found = all.filter((row) => matches(row, query));
    const repos = [...new Set(all.map((row) => row.repo))];
    const body = render("checks", {
      repos: repos.map((value) => ({ value, chosen: value === repo })),
      states: Object.entries(STATES).map(([value, { text }]) => ({ value, text, chosen: value === state })),
      text,
      filtered: [repo, state, text].some((value) => value !== ""),
      none: all.length === 0,
      sum: sumOf(found),
      groups: groupsOf(found.slice(0, ROWS_MAX)),
      more: Math.max(0, found.length - ROWS_MAX),
    });
    return { kind: "page", body };
  },
};

/** A blank or unknown value filters nothing. */
function matches(row: Checked, { repo = "", state = "", text = "" }: Visit["query"]): boolean {
  const looks = Object.hasOwn(STATES, state) ? STATES[state]?.looks : undefined;
  const words = `${row.repo} ${row.name} ${row.also} ${row.commit} ${row.wrong}`.toLowerCase();
  return (
    (repo === "" || row.repo === repo) &&
    (looks === undefined || looks.includes(row.mark.look)) &&
    words.includes(text.trim().toLowerCase())
  );
}

function sumOf(rows: readonly Checked[]): string {
  const pulls = rows.filter(({ isPull }) => isPull).length;
  const branches = rows.length - pulls;
  const what = [
    branches === 0 ? "" : `${branches} branch${branches === 1 ? "" : "es"}`,
    pulls === 0 ? "" : count(pulls, "pull request"),
  ];
  const states = Object.values(STATES).map(({ text, looks }) => {
    const number = rows.filter(({ mark }) => looks.includes(mark.look)).length;
    return number === 0 ? "" : `${number} ${text}`;
  });
  const filled = (texts: readonly string[]): readonly string[] => texts.filter((text) => text !== "");
  return `${filled(what).join(" and ")}: ${filled(states).join(", ")}`;
}

function groupsOf(rows: readonly Checked[]): ChecksData["groups"] {
  const groups = new Map<string, Checked[]>();
  for (const row of rows) groups.set(row.repo, [...(groups.get(row.repo) ?? []), row]);
  return [...groups].map(([repo, own]) => ({ repo, rows: own }));
}
