/**
 * Terms, for what the words of `millrace` cannot say: combinators, Observables in and out, builders, monitors and
 * targets, and the engine that runs them.
 */

export type { Builder } from "./engine/cache/builder.ts";
export { type CachedOptions, cached } from "./engine/cache/cache.ts";
export { type Clock, createClock } from "./engine/clock.ts";
export { deploy } from "./engine/effects/deploy.ts";
export type {
  Applied,
  Change,
  Lane,
  Observed,
  Settled,
  Stamp,
  TargetKind,
} from "./engine/effects/target.ts";
export { UNKNOWN_UNTIL_BUILT } from "./engine/effects/target.ts";
export { type Cause, Engine, type EngineParts, type Step } from "./engine/engine.ts";
export { problem } from "./engine/errors.ts";
export type { Job, JobId, JobState, Progress } from "./engine/job.ts";
export type { Codec, Json } from "./engine/json.ts";
export type { Level, Threshold } from "./engine/level.ts";
export { fromObservable, type Monitor, type MonitorSpec, monitor } from "./engine/monitor.ts";
export { Pool } from "./engine/pool.ts";
export { Collection } from "./incr/index.ts";
export * from "./term/combinators.ts";
export { each, option } from "./term/each.ts";
export { changes } from "./term/observe.ts";
export {
  type Active,
  active,
  type Failed,
  type Failure,
  failed,
  failure,
  type Ok,
  type Output,
  ok,
  type Phase,
  type Result,
  success,
} from "./term/output.ts";
export { type Box, type Metadata, Term } from "./term/term.ts";
export { World } from "./term/world.ts";
