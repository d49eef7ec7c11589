import type { GraphGroup, GraphNode } from "../../engine/view.ts";

/** The checks of a repository are drawn under its name with this behind it. */
export const CHECKS = "-builds";
const BOXES_MAX = 120;
const SHOWN_MAX = 40;
/** What somebody wants to look at first. */
const FIRST: readonly GraphNode["state"][] = ["failed", "running", "waiting", "ready"];

/**
 * The group as it is drawn: of thousands of checked branches and pull requests only what is wrong or under way, and its
 * name says of how many. All of them are found by the search, and in the API.
 */
export function folded(group: GraphGroup): GraphGroup {
  const { name, boxes } = group;
  if (!name.endsWith(CHECKS) || boxes.length <= BOXES_MAX) return group;
  const moving = FIRST.flatMap((state) => boxes.filter((box) => box.state === state));
  const shown = (moving.length === 0 ? boxes : moving).slice(0, moving.length === 0 ? 1 : SHOWN_MAX);
  const keys = new Set(shown.map(({ key }) => key));
  const edges = group.edges.filter(({ from, to }) => keys.has(from) && keys.has(to));
  return { name: `${name}: ${shown.length} of ${boxes.length} boxes`, boxes: shown, chips: [], edges };
}
