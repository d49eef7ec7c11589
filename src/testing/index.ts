/**
 * The rig: an engine in virtual time, with stand-ins for what is outside. Exported, because users test their own
 * pipelines with it.
 */
export { DummyBuilder, type DummyOptions, type DummyRun, textCodec } from "./dummy-builder.ts";
export { type DummyInput, dummyInput } from "./dummy-input.ts";
export { type DummyMonitor, dummyMonitor } from "./dummy-monitor.ts";
export {
  type Changes,
  type Delivery,
  FakeGitHub,
  type FakeGitHubOptions,
  type Mishap as GitHubMishap,
  type Permissions,
  type PullOptions,
  type PushOptions,
  type Recorded,
  type RepoOptions,
  type Repository as FakeRepository,
  type Role as FakeRole,
  type SendOptions,
} from "./fake-github/index.ts";
export { type Arrival, FakeKind, FakeWorld, type Mishap } from "./fake-target.ts";
export { graphText } from "./graph-text.ts";
export { MemoryLogs } from "./memory-logs.ts";
export { createRig, type Rig, type RigOptions, repeatable, trace } from "./rig.ts";
export { START_MS, TestClock } from "./test-clock.ts";
