import type { GraphNode, JobView, Stats } from "../engine/view.ts";
import type { Failure, Shown } from "../term/output.ts";

/**
 * How a state is drawn: colour, symbol and word together, never a colour alone.
 *
 * `failed` (red) is the user's; `trouble` (orange) is the outside's or ours, and mostly heals by itself.
 */
export type Look =
  | "ok"
  | "ready"
  | "waiting"
  | "running"
  | "failed"
  | "trouble"
  | "blocked"
  | "cancelled"
  | "interrupted";

export interface Mark {
  readonly look: Look;
  readonly word: string;
}

/** One path of a 16 × 16 symbol for each look, drawn with round strokes. */
export const symbols: Readonly<Record<Look, string>> = {
  ok: "M3.5 8.5l3 3 6-7",
  ready: "M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10",
  waiting: "M5.5 4v8M10.5 4v8",
  running: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
  failed: "M4 4l8 8M12 4l-8 8",
  trouble: "M8 2.5l6 10.5h-12zM8 7v2.5M8 11.4v.1",
  blocked: "M8 2.8a5.2 5.2 0 1 0 0 10.4a5.2 5.2 0 1 0 0-10.4M4.5 8h7",
  cancelled: "M4.5 4.5h7v7h-7z",
  interrupted: "M9 2l-4 7h5l-3 5",
};

export const isLook = (text: string): text is Look => Object.hasOwn(symbols, text);

const lookOfFailure = (failure: Failure | undefined): Look =>
  failure === undefined || failure.class === "failed" ? "failed" : "trouble";

const wordOfFailure = (failure: Failure | undefined): string => {
  if (failure?.class === "transient") return "retrying";
  return failure?.class === "system" ? "system fault" : "failed";
};

/** A box of the graph: `running 3/7`, `updating`, `stale`. */
export function markOfNode(node: GraphNode): Mark {
  if (node.state === "failed") return { look: lookOfFailure(node.failure), word: wordOfFailure(node.failure) };
  if (node.state === "running" && node.progress !== undefined) {
    return { look: "running", word: `running ${node.progress.done}/${node.progress.total}` };
  }
  if (node.staleSinceMs !== undefined) return { look: "trouble", word: "stale" };
  if (node.updating !== undefined) return { look: node.state, word: node.state === "ok" ? "updating" : node.state };
  return { look: node.state, word: node.state };
}

export function markOfJob(job: JobView): Mark {
  if (job.state === "failed") return { look: lookOfFailure(job.error), word: wordOfJobFailure(job.error) };
  return { look: job.state, word: job.state };
}

/** A job has ended: what is tried again is the next one. */
const wordOfJobFailure = (failure: Failure | undefined): string =>
  failure === undefined || failure.class === "failed" ? "failed" : `failed (${failure.class})`;

export const markOfState = (state: Shown): Mark => ({ look: state, word: state });

/** What the tab's title and icon say about the whole: the worst that needs a person, then what is going on. */
export function overall(stats: Stats, nodes: readonly GraphNode[]): Look {
  if (stats.failed > 0) {
    return nodes.some((node) => markOfNode(node).look === "failed") ? "failed" : "trouble";
  }
  if (stats.running > 0) return "running";
  if (stats.waiting > 0) return "waiting";
  return stats.ready > 0 ? "ready" : "ok";
}
