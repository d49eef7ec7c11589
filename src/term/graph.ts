import type { Term } from "./term.ts";
import type { World } from "./world.ts";

/** An edge between two boxes. `dashed`: the reader waits for it but takes no value from it. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly dashed?: boolean;
}

/** Box → whether it is only waited for. */
type Sources = ReadonlyMap<Term<unknown>, boolean>;

/**
 * The edges between the boxes of a world: terms without a box are looked through, and an edge that a longer way
 * implies is left out.
 */
export function edgesOf(world: World): readonly Edge[] {
  const through = new Map<Term<unknown>, Sources>();
  const edges: Edge[] = [];
  for (const term of world.terms.values()) {
    const sources = sourcesOf(term, through);
    for (const [source, control] of sources) {
      if (implied(source, sources, through)) continue;
      edges.push({ from: source.key, to: term.key, ...(control ? { dashed: true } : {}) });
    }
  }
  return edges;
}

/** The nearest boxes that a term reads from. */
function sourcesOf(term: Term<unknown>, through: Map<Term<unknown>, Sources>): Sources {
  const known = through.get(term);
  if (known !== undefined) return known;
  const sources = new Map<Term<unknown>, boolean>();
  for (const { term: input, control = false } of term.inputs) {
    const found: Sources = input.box === undefined ? sourcesOf(input, through) : new Map([[input, false]]);
    for (const [source, inner] of found) sources.set(source, (sources.get(source) ?? true) && (control || inner));
  }
  through.set(term, sources);
  return sources;
}

/** Whether another of the sources reads `source` itself, directly or not. */
function implied(source: Term<unknown>, sources: Sources, through: Map<Term<unknown>, Sources>): boolean {
  const seen = new Set<Term<unknown>>();
  const queue = [...sources.keys()].filter((other) => other !== source);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next === source) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    queue.push(...sourcesOf(next, through).keys());
  }
  return false;
}
