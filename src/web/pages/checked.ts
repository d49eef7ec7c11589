import type { GraphNode } from "../../engine/view.ts";
import { CHECKS } from "../graph/fold.ts";
import { type Look, type Mark, markOfNode } from "../looks.ts";
import { brief } from "../text.ts";
import { type Place, placeOf, refName } from "./where.ts";

/** A branch or a pull request, and how the check of its newest commit goes. */
export interface Checked {
  /** `acme/shop`. */
  readonly repo: string;
  /** `main`, `#7`. */
  readonly name: string;
  readonly isPull: boolean;
  /** Stays the same for as long as it is there. */
  readonly key: string;
  /** The worst of all that it takes. */
  readonly mark: Mark;
  /** What else is at its commit: `#7`, `topic, #7`; blank: nothing. */
  readonly also: string;
  /** The commit, and what it says of itself. */
  readonly commit: string;
  /** The last line of what went wrong; blank when nothing did. */
  readonly wrong: string;
  readonly builds: readonly { readonly spec: string; readonly mark: Mark; readonly href: string | undefined }[];
  /** A maintainer has to look at it first. */
  readonly waits: boolean;
}

/** What needs a person comes first. */
const ORDER: readonly Look[] = [
  "failed",
  "trouble",
  "waiting",
  "interrupted",
  "cancelled",
  "running",
  "ready",
  "blocked",
  "ok",
];
const WRONG_CHARS_MAX = 300;

/** Everything that is checked, by repository, what needs a person first. */
export function checkedOf(nodes: readonly GraphNode[]): readonly Checked[] {
  const heads: { readonly place: Place; readonly head: GraphNode }[] = [];
  const parts = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    const place = placeOf(node.key);
    if (place === undefined) continue;
    if (node.kind === "head" && node.group === `${place.repo}${CHECKS}`) heads.push({ place, head: node });
    else if (node.kind === "fetch" || node.kind === "build") {
      const known = parts.get(place.key);
      if (known === undefined) parts.set(place.key, [node]);
      else known.push(node);
    }
  }
  return heads.map(({ place, head }) => rowOf(place, head, parts.get(place.key) ?? [])).toSorted(inOrder);
}

function rowOf({ key, repo, ref }: Place, head: GraphNode, parts: readonly GraphNode[]): Checked {
  const [worst = head] = [head, ...parts].toSorted((a, b) => rankOf(markOfNode(a)) - rankOf(markOfNode(b)));
  const fetched = parts.find(({ kind, state }) => kind === "fetch" && state === "ok");
  const isPull = ref.startsWith("pr:");
  return {
    repo,
    name: refName(ref),
    isPull,
    key,
    also: namesIn(head.detail).slice(1).join(", "),
    mark: markOfNode(worst),
    commit: fetched?.detail ?? brief(head.detail),
    wrong: brief(worst.failure?.message.trim().split("\n").at(-1) ?? "").slice(0, WRONG_CHARS_MAX),
    builds: parts
      .filter(({ kind }) => kind === "build")
      .map((node) => ({
        spec: node.label.replaceAll("\n", " "),
        mark: markOfNode(node),
        href: node.job === undefined ? undefined : `/job/${node.job}`,
      })),
    waits: head.state === "waiting",
  };
}

/** `main` and `#7` of `main, #7 at 0123abcd`: no branch has a space in its name. */
const namesIn = (detail: string): readonly string[] => /^(.+) at [0-9a-f]{8}/.exec(detail)?.[1]?.split(", ") ?? [];

const rankOf = ({ look }: Mark): number => ORDER.indexOf(look);
const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** Of equal state pull requests come first, the newest of them before the others. */
function inOrder(a: Checked, b: Checked): number {
  const others = compare(a.repo, b.repo) || rankOf(a.mark) - rankOf(b.mark) || Number(b.isPull) - Number(a.isPull);
  if (others !== 0) return others;
  return a.isPull ? Number(b.name.slice(1)) - Number(a.name.slice(1)) : compare(a.name, b.name);
}
