import { type Clock, createClock } from "../../src/engine/clock.ts";
import { Engine } from "../../src/engine/engine.ts";
import { LiveView } from "../../src/engine/live-view.ts";
import { memoryStore } from "../../src/engine/store/open.ts";
import { gate } from "../../src/term/combinators.ts";
import type { Term } from "../../src/term/term.ts";
import { MemoryLogs } from "../../src/testing/memory-logs.ts";
import { boxedTerm, boxOf, Source } from "../engines/terms.ts";

/** Boxes of a repository: its source, and fourteen branches of seven. */
const BOXES_A_REPO = 99;
const BRANCHES = 14;

/** A large flavour at rest, with the boxes and edges that `lower` makes, behind the view that pages see. */
export interface LargeFlavour {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly view: LiveView;
  /** A source a repository. Its value is the detail of its box. */
  readonly repos: readonly Source<string>[];
  /** Adds a branch to a repository. */
  grow(repo: number): void;
  /** Makes the step for what was changed. */
  step(): Promise<void>;
}

export async function largeFlavour(boxes: number): Promise<LargeFlavour> {
  const clock = createClock();
  const logs = new MemoryLogs(clock);
  const engine = new Engine({ clock, store: memoryStore({ clock }), logs });
  const { world } = engine;
  let branches = 0;
  const repos = Array.from({ length: Math.max(1, Math.round(boxes / BOXES_A_REPO)) }, (_, repo) =>
    world.grouped(nameOf(repo), () => {
      const box = { ...boxOf(repo, "heads"), label: `${nameOf(repo)}\nhttps://git.example/${nameOf(repo)}.git` };
      return new Source(world, { ...box, key: `${nameOf(repo)}/heads` }, "no commit yet", (value) => value);
    }),
  );
  const grow = (repo: number): void => {
    const source = repos[repo];
    if (source !== undefined) world.grouped(nameOf(repo), () => branchOf(source.term, branches++));
  };
  for (const repo of repos.keys()) for (let branch = 0; branch < BRANCHES; branch++) grow(repo);
  const step = (): Promise<void> =>
    new Promise((resolve) => {
      engine.change(undefined, () => {});
      queueMicrotask(resolve); // after the step, which was asked for before
    });
  await step();
  const about = { flavour: "bench", version: "0", url: "http://127.0.0.1", ready: () => true };
  const view = new LiveView({ engine, services: [], pools: [], logs, ...about });
  return { engine, clock, view, repos, grow, step };
}

const nameOf = (repo: number): string => `acme/app-${repo}`;

/** head → fetch → build → push → tag, and two deploys that take the image once the tag is there. */
function branchOf(source: Term<string>, branch: number): void {
  const next = (input: Term<string>, verb: string): Term<string> => {
    const box = { ...boxOf(branch, verb), label: labelOf(branch, verb) };
    return boxedTerm(input, box, `2026-11-21/090000-${verb}-${branch}`, (value) => value);
  };
  const pushed = ["head", "fetch", "build", "push"].reduce(next, source);
  const following = gate(pushed, next(pushed, "tag"));
  for (const host of ["one", "two"]) next(following, `deploy-${host}`);
}

/** One to three lines, so that hardly a repository is laid out like another. */
function labelOf(branch: number, verb: string): string {
  const lines = [`${verb} b${branch}`, "Dockerfile", `for host ${branch % 7}`];
  return lines.slice(0, 1 + ((((branch * 31 + verb.length) * 2_654_435_761) >>> 7) % 3)).join("\n");
}
