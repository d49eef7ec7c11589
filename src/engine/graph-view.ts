import { concat, defer, map, type Observable, of, share } from "rxjs";
import { edgesOf } from "../term/graph.ts";
import { type Failure, isOwn, type Output, seenFrom } from "../term/output.ts";
import type { Term } from "../term/term.ts";
import type { Engine, Step } from "./engine.ts";
import { isJobId } from "./job.ts";
import type { GraphChange, GraphEdge, GraphNode, GraphSnapshot } from "./view.ts";

/** The drawn graph of an engine: a snapshot on demand, and what changes with each step. */
export class GraphView {
  readonly #engine: Engine;
  #edges: { readonly structure: number; readonly edges: readonly GraphEdge[] } | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  snapshot(): GraphSnapshot {
    const { world, step } = this.#engine;
    const nodes = [...world.terms.values()].map((term) => this.node(term));
    return { step, structure: world.structure, nodes, edges: this.#edgesNow() };
  }

  #edgesNow(): readonly GraphEdge[] {
    const { world } = this.#engine;
    if (this.#edges?.structure !== world.structure) this.#edges = { structure: world.structure, edges: edgesOf(world) };
    return this.#edges.edges;
  }

  /** What each step changed: made once, however many watch. */
  readonly #steps: Observable<GraphChange> = defer(() => {
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
    const { terms } = this.#engine.world;
    const changed: GraphNode[] = [];
    const added: GraphNode[] = [];
    const removed: string[] = [];
    for (const { key } of step.changed) {
      const term = terms.get(key);
      if (term === undefined) {
        if (known.delete(key)) removed.push(key);
      } else if (known.has(key)) changed.push(this.node(term));
      else {
        known.add(key);
        added.push(this.node(term));
      }
    }
    const edges = restructured ? { edges: this.#edgesNow() } : {};
    return { kind: "step", step: step.number, structure: step.structure, changed, added, removed, ...edges };
  }

  node(term: Term<unknown>): GraphNode {
    const { output, metadata, box } = term;
    const job = metadata.job === undefined ? undefined : this.#engine.jobs.open.get(metadata.job);
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
}

/** Digests and commits at the length that people compare. */
export const brief = (text: string): string => text.replace(/\b([0-9a-f]{12})[0-9a-f]{28,52}\b/g, "$1");

const ownFailure = (output: Output<unknown>, key: string): Failure | undefined =>
  output.state === "failed" && isOwn(output, key) ? output.failure : undefined;
