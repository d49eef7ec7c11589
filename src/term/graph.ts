import { Term } from "./term.ts";
import type { World } from "./world.ts";

/** An edge between two boxes. `dashed`: the reader waits for it but takes no value from it. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly dashed?: boolean;
}

/** Box → whether it is only waited for. */
type Sources = ReadonlyMap<Term<unknown>, boolean>;

/** What was found while looking through terms without a box. A term never changes what it reads, so it stays true. */
export type Through = Map<Term<unknown>, Sources>;

/** The edges between the boxes of a world, box by box in the order in which they were made. */
export function edgesOf(world: World): readonly Edge[] {
  const through: Through = new Map();
  return [...world.terms.values()].flatMap((term) => edgesInto(term, through));
}

/**
 * The edges that end in one box: terms without a box are looked through, and an edge that a longer way implies is left
 * out.
 */
export function edgesInto(term: Term<unknown>, through: Through): readonly Edge[] {
  const sources = sourcesOf(term, through);
  const implied = sources.size < 2 ? new Set() : behind(sources, through);
  return [...sources]
    .filter(([source]) => !implied.has(source))
    .map(([source, control]) => ({ from: source.key, to: term.key, ...(control ? { dashed: true } : {}) }));
}

/** The nearest boxes that a term reads from. */
function sourcesOf(term: Term<unknown>, through: Through): Sources {
  const known = through.get(term);
  if (known !== undefined) return known;
  const sources = new Map<Term<unknown>, boolean>();
  for (const read of term.inputs) {
    const control = !(read instanceof Term);
    const input = control ? read.waitsFor : read;
    const found: Sources = input.box === undefined ? sourcesOf(input, through) : new Map([[input, false]]);
    for (const [source, inner] of found) sources.set(source, (sources.get(source) ?? true) && (control || inner));
  }
  through.set(term, sources);
  return sources;
}

/** All that the sources read, directly or not: each of them is looked at once. */
function behind(sources: Sources, through: Through): ReadonlySet<Term<unknown>> {
  const seen = new Set<Term<unknown>>();
  const queue = [...sources.keys()];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const source of sourcesOf(next, through).keys()) {
      if (seen.has(source)) continue;
      seen.add(source);
      queue.push(source);
    }
  }
  return seen;
}
