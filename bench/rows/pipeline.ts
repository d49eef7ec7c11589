import type { Builder } from "../../src/engine/cache/builder.ts";
import { cached } from "../../src/engine/cache/cache.ts";
import type { Clock } from "../../src/engine/clock.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { LogFiles } from "../../src/engine/job-log.ts";
import type { Store } from "../../src/engine/store/store.ts";
import { all } from "../../src/term/combinators.ts";
import { success } from "../../src/term/output.ts";
import type { Term } from "../../src/term/term.ts";
import { at } from "../engines/engine.ts";
import { boxOf, repoOf, Source } from "../engines/terms.ts";
import { BRANCHES_A_REPO } from "../graph/plan.ts";

/** A builder that has nothing to do: what is left is what a job costs by itself. */
export const trivial: Builder<undefined, string, string> = {
  id: "trivial",
  version: 1,
  level: "average",
  autoCancel: false,
  value: { encode: (value) => value, decode: (json) => (typeof json === "string" ? json : undefined) },
  key: (commit) => ({ commit }),
  describe: (commit) => `make nothing of ${commit}`,
  inputs: (commit) => ({ commit }),
  build: async (_context, commit, job) => {
    const started = await job.start({ level: "average" });
    return started.ok ? success(`made of ${commit}`) : started;
  },
};

export const commitOf = (branch: number, version = 0): string =>
  (branch * 4_096 + version).toString(16).padStart(40, "0");

/** Many branches, each with a head and a result that a builder makes of it, joined a repository and then in all. */
export interface Cached {
  readonly engine: Engine;
  readonly heads: readonly Source<string>[];
  readonly results: readonly Term<string>[];
  readonly whole: Term<void>;
  /** Jobs since the engine was made. */
  readonly jobs: () => number;
  /** Gives a branch a new head; resolves when its result and the whole are there. */
  change(branch: number, commit: string): Promise<void>;
  /** Resolves when there is nothing on its way any more. */
  settled(): Promise<void>;
}

export function cachedBranches(count: number, parts: { clock: Clock; store: Store; logs: LogFiles }): Cached {
  const engine = new Engine(parts);
  const seen = new Set<string>();
  engine.jobs.changes.subscribe((id) => seen.add(id));
  const { world } = engine;
  const heads: Source<string>[] = [];
  const results: Term<string>[] = [];
  for (let branch = 0; branch < count; branch++) {
    world.grouped(repoOf(branch), () => {
      const head = new Source(world, boxOf(branch, "head"), commitOf(branch));
      heads.push(head);
      results.push(cached(engine, boxOf(branch, "build"), trivial, undefined, head.term));
    });
  }
  const whole = joined(engine, results);
  const settled = (): Promise<void> => until(engine, () => whole.node.computed && whole.output.state === "ok");
  return {
    engine,
    heads,
    results,
    whole,
    jobs: () => seen.size,
    settled,
    change: async (branch, commit) => {
      const cause = { kind: "poll", subject: repoOf(branch), detail: `b${branch} is now ${commit}` };
      engine.change(cause, () => at(heads, branch).set(commit));
      const { output } = at(results, branch);
      await until(engine, () => at(results, branch).output !== output && whole.output.state === "ok");
    },
  };
}

/** As `lower` does: one join a repository, one over all. */
function joined({ world }: Engine, results: readonly Term<string>[]): Term<void> {
  const repos = Array.from({ length: Math.ceil(results.length / BRANCHES_A_REPO) }, (_, repo) => {
    const first = repo * BRANCHES_A_REPO;
    const parts = results
      .slice(first, first + BRANCHES_A_REPO)
      .map((term, index) => [`b${first + index}`, term] as const);
    return [repoOf(first), all(world, Object.fromEntries(parts))] as const;
  });
  return all(world, Object.fromEntries(repos));
}

/** Looks after each step. */
function until(engine: Engine, done: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const watch = engine.steps.subscribe(() => {
      if (!done()) return;
      watch.unsubscribe();
      resolve();
    });
  });
}
