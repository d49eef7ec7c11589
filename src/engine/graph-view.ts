import { concat, defer, map, type Observable, of, share } from "rxjs";
import { edgesInto, edgesOf, type Through } from "../term/graph.ts";
import { type Failure, isOwn, type Output, seenFrom } from "../term/output.ts";
import type { Term } from "../term/term.ts";
import type { Engine, Step } from "./engine.ts";
import { Groups } from "./graph-groups.ts";
import { isJobId } from "./job.ts";
import { turn } from "./turn.ts";
import type { GraphChange, GraphEdge, GraphGroup, GraphNode, GraphSnapshot } from "./view.ts";

/** Boxes that are made before others have their turn: about two milliseconds of work. */
const BOXES_A_TURN = 200;

/** A box as it was made last. */
interface Entry {
  readonly term: Term<unknown>;
  node: GraphNode;
  /** Those that end in it: a term never changes what it reads. */
  readonly edges: readonly GraphEdge[];
  gone: boolean;
}

interface Flat {
  readonly structure: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/**
 * The drawn graph of an engine: a snapshot on demand, and what changes with each step.
 *
 * Boxes are made when somebody looks for the first time and kept from then on: a snapshot costs what has changed since
 * the last one, and holds the same objects for all that has not.
 */
export class GraphView {
  readonly #engine: Engine;
  readonly #entries = new Map<string, Entry>();
  /** All entries in the order in which the boxes were made. */
  #order: Entry[] = [];
  #flat: Flat = { structure: -1, nodes: [], edges: [] };
  /** Some box is another than in `#flat`. */
  #stale = false;
  /** Keys of boxes that changed since they were made. */
  readonly #changed = new Set<string>();
  /** Keys of boxes whose job runs: its progress is not always news of their own. Thousands may wait besides. */
  readonly #working = new Set<string>();
  readonly #groups = new Groups<Entry>((key) => this.#entries.get(key));
  /** Up to where the steps have told of boxes that came and went. */
  #told = -1;
  #following = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  snapshot(): GraphSnapshot {
    this.#follow();
    for (const key of this.#working) if (this.#hasProgressed(key)) this.#changed.add(key);
    this.#refresh();
    const { step, world } = this.#engine;
    if (this.#told !== world.structure) this.#recount();
    if (this.#stale || this.#flat.structure !== world.structure) this.#flatten(world.structure);
    const { structure, nodes, edges } = this.#flat;
    return { step, structure, nodes, edges };
  }

  groups(): readonly GraphGroup[] {
    this.snapshot();
    return this.#groups.list(this.#order);
  }

  /** The snapshot; when there is much to be made for it, it is made piece by piece, so that nothing else waits. */
  async snapshotSoon(): Promise<GraphSnapshot> {
    this.#follow();
    const through: Through = new Map();
    let made = 0;
    const { terms } = this.#engine.world;
    for (const term of this.#told < 0 ? terms.values() : []) {
      if (this.#entries.has(term.key)) continue;
      this.#make(term, through);
      made += 1;
      if (made % BOXES_A_TURN === 0) await turn();
    }
    this.snapshot();
    await this.#groups.prepare(this.#order);
    return this.snapshot();
  }

  #follow(): void {
    if (this.#following) return;
    this.#following = true;
    this.#engine.steps.subscribe((step) => {
      for (const { key } of step.changed) this.#changed.add(key);
      if (this.#told >= 0) this.#told = step.structure;
    });
  }

  #hasProgressed(key: string): boolean {
    const node = this.#entries.get(key)?.node;
    const job = node?.job === undefined ? undefined : this.#engine.jobs.open.get(node.job);
    return job?.latest !== node?.progress;
  }

  #refresh(): void {
    const { terms } = this.#engine.world;
    const through: Through = new Map();
    for (const key of this.#changed) {
      const term = terms.get(key);
      if (term !== undefined) this.#make(term, through);
      else this.#forget(key);
    }
    this.#changed.clear();
  }

  #make(term: Term<unknown>, through: Through): void {
    const { key } = term;
    const node = nodeOf(this.#engine, term);
    const known = this.#entries.get(key);
    if (known?.term === term) {
      known.node = node;
      this.#groups.touch(node);
    } else this.#enter({ term, node, edges: edgesInto(term, through), gone: false }, known);
    this.#stale = true;
    const runs = node.state === "running" || node.updating === "running";
    if (runs && node.job !== undefined && this.#engine.jobs.open.has(node.job)) this.#working.add(key);
    else this.#working.delete(key);
  }

  /** In the place of one that had the same key, as in the world. */
  #enter(entry: Entry, former: Entry | undefined): void {
    this.#entries.set(entry.node.key, entry);
    this.#groups.move(entry.node);
    if (former === undefined) this.#order.push(entry);
    else {
      this.#order[this.#order.indexOf(former)] = entry;
      this.#groups.move(former.node);
    }
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.gone = true;
    this.#entries.delete(key);
    this.#working.delete(key);
    this.#groups.move(entry.node);
  }

  /** Looks at all boxes: the first time, and when some came or went that no step has told of yet. */
  #recount(): void {
    const { terms, structure } = this.#engine.world;
    const through: Through = new Map();
    for (const term of terms.values()) if (this.#entries.get(term.key)?.term !== term) this.#make(term, through);
    for (const key of this.#entries.keys()) if (!terms.has(key)) this.#forget(key);
    this.#order = [...terms.keys()].flatMap((key) => this.#entries.get(key) ?? []);
    this.#told = structure;
  }

  #flatten(structure: number): void {
    const moved = this.#flat.structure !== structure;
    if (moved) this.#order = this.#order.filter((entry) => !entry.gone);
    const nodes = this.#order.map((entry) => entry.node);
    const edges = moved ? this.#order.flatMap((entry) => entry.edges) : this.#flat.edges;
    this.#flat = { structure, nodes, edges };
    this.#stale = false;
  }

  /** What each step changed: made once, however many watch. */
  readonly #steps: Observable<GraphChange> = defer(() => {
    this.#follow(); // before the steps are read here: a step is to be known when it is told
    const { world } = this.#engine;
    const known = new Set(world.terms.keys());
    let { structure } = world;
    return this.#engine.steps.pipe(
      map((step) => {
        const change = this.#change(step, known, step.structure !== structure);
        structure = step.structure;
        return change;
      }),
    );
  }).pipe(share());

  /** One snapshot, then one item a step that changed a box. */
  readonly changes: Observable<GraphChange> = defer(() =>
    concat(of<GraphChange>({ kind: "snapshot", graph: this.snapshot() }), this.#steps),
  );

  #change(step: Step, known: Set<string>, restructured: boolean): GraphChange {
    this.#refresh();
    const changed: GraphNode[] = [];
    const added: GraphNode[] = [];
    const removed: string[] = [];
    for (const { key } of step.changed) {
      const entry = this.#entries.get(key);
      if (entry === undefined) {
        if (known.delete(key)) removed.push(key);
      } else if (known.has(key)) changed.push(entry.node);
      else {
        known.add(key);
        added.push(entry.node);
      }
    }
    const into = ({ key }: GraphNode): readonly GraphEdge[] => this.#entries.get(key)?.edges ?? [];
    const edges = restructured ? { edges: [...added, ...changed].flatMap(into) } : {};
    return { kind: "step", step: step.number, structure: step.structure, changed, added, removed, ...edges };
  }
}

/** The whole drawn graph, once. */
export const graphOf = (engine: Engine): GraphSnapshot => {
  const { step, world } = engine;
  const nodes = [...world.terms.values()].map((term) => nodeOf(engine, term));
  return { step, structure: world.structure, nodes, edges: edgesOf(world) };
};

/** A term's box as pages see it. */
function nodeOf(engine: Engine, term: Term<unknown>): GraphNode {
  const { output, metadata, box } = term;
  const job = metadata.job === undefined ? undefined : engine.jobs.open.get(metadata.job);
  const failure = ownFailure(output, term.key);
  return {
    key: term.key,
    label: box?.label ?? term.key,
    kind: box?.kind ?? "value",
    group: term.group,
    state: seenFrom(output, term.key),
    detail: brief(failure?.message ?? metadata.detail ?? term.told ?? ""),
    ...(box?.at === undefined ? {} : { at: box.at }),
    ...(metadata.job !== undefined && isJobId(metadata.job) ? { job: metadata.job } : {}),
    ...(metadata.updating === undefined ? {} : { updating: metadata.updating }),
    ...(metadata.staleSinceMs === undefined ? {} : { staleSinceMs: metadata.staleSinceMs }),
    ...(failure === undefined ? {} : { failure }),
    ...(job?.latest === undefined ? {} : { progress: job.latest }),
  };
}

/** Digests and commits at the length that people compare. */
export const brief = (text: string): string => text.replace(/\b([0-9a-f]{12})[0-9a-f]{28,52}\b/g, "$1");

const ownFailure = (output: Output<unknown>, key: string): Failure | undefined =>
  output.state === "failed" && isOwn(output, key) ? output.failure : undefined;
