import { type CachedOptions, cached } from "../../../src/engine/cache/cache.ts";
import type { JobRow } from "../../../src/engine/store/store.ts";
import { type Failure, type Output } from "../../../src/term/output.ts";
import type { Box, Term } from "../../../src/term/term.ts";
import { type DummyBuilder, type DummyInput, dummyInput, type Rig } from "../../../src/testing/index.ts";

export const box = (key: string): Box => ({ key, label: key, kind: "value" });
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export const failed = (message = "exit status 1"): Failure => ({ code: "BUILD_FAILED", message, class: "failed" });
export const transient = (message = "no answer"): Failure => ({
  code: "ENGINE_UNREACHABLE",
  message,
  class: "transient",
});

/** A term over a dummy builder. */
export interface Keyed {
  readonly input: DummyInput<string>;
  readonly term: Term<string>;
  readonly rig: Rig;
  /** `ok value`, `active phase`, `failed message`, with what the metadata adds. */
  readonly shows: () => string;
  readonly jobs: () => readonly JobRow[];
}

export function keyed(
  rig: Rig,
  builder: DummyBuilder,
  options: CachedOptions<string> & { readonly name?: string; readonly context?: string } = {},
  ...first: readonly string[]
): Keyed {
  const { name = "built", context = "here", ...rest } = options;
  const input = dummyInput(rig.engine, box(`${name}/key`), ...first);
  const term = cached(rig.engine, box(name), builder, context, input.term, rest);
  return {
    input,
    term,
    rig,
    shows: () => shown(term),
    jobs: () => rig.store.queries.jobs({}).toReversed(),
  };
}

export function shown(term: Term<unknown>): string {
  const { updating, staleSinceMs } = term.metadata;
  const marks = [updating === undefined ? [] : [`${updating} anew`], staleSinceMs === undefined ? [] : ["stale"]];
  return [text(term.output), ...marks.flat()].join(", ");
}

function text(output: Output<unknown>): string {
  if (output.state === "ok") return `ok ${String(output.value)}`;
  return output.state === "active" ? `active ${output.phase}` : `failed ${output.failure.message}`;
}
