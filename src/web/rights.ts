import { problem } from "../engine/errors.ts";
import type { View } from "../engine/view.ts";
import type { Failure } from "../term/output.ts";
import type { Visitor } from "./visitor.ts";

/**
 * Why somebody may not touch the job of a term; undefined when they may. A builder who is limited to some services may
 * do with a job only what moves those and nothing else.
 */
export function notTheirs(view: View, visitor: Visitor, term: string): Failure | undefined {
  const { services } = visitor;
  if (services === undefined) return undefined;
  const moved = servicesBehind(view, term);
  const others = moved.filter((name) => !services.has(name));
  if (moved.length > 0 && others.length === 0) return undefined;
  const reached = moved.length === 0 ? "none of their services" : `also ${others.join(", ")}`;
  return problem(
    "ROLE_NEEDED",
    `${visitor.name} may act for ${[...services].join(", ")} only, and this moves ${reached}`,
  );
}

/** Names of the services that a new value of the term would move. A tag counts for itself when nothing runs it. */
function servicesBehind(view: View, term: string): readonly string[] {
  const { nodes, edges } = view.graph();
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const known = next.get(from);
    if (known === undefined) next.set(from, [to]);
    else known.push(to);
  }
  const reached = new Set([term]);
  for (const key of reached) for (const to of next.get(key) ?? []) reached.add(to); // grows while it is walked
  const moved = view.services().filter((service) => reached.has(service.term));
  const tags = new Set(nodes.filter(({ kind }) => kind === "tag").map(({ key }) => key));
  const running = moved.filter((service) => !tags.has(service.term));
  return (running.length > 0 ? running : moved).map(({ place }) => place);
}

/** What somebody may do, in words. */
export function roleOf({ role, services, doubt }: Visitor): string {
  if (role === "none" && doubt === undefined) return "none: pipeline.ts names neither you nor a team of yours";
  const limited = services === undefined ? "" : ` for ${[...services].join(", ")}`;
  return `${role}${limited}${doubt === undefined ? "" : ` (what teams would add is not known: ${doubt})`}`;
}
