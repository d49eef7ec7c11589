import { type Static, type TSchema, Type } from "typebox";
import { WHY_CHARS_MAX } from "../../engine/audit.ts";
import { driftPolicies } from "../../engine/effects/drift.ts";
import { levels } from "../../engine/level.ts";

/** Times are ISO 8601 in UTC with milliseconds; durations end in `Ms`. */
const Time = Type.String({ format: "date-time" });
const Key = Type.String({ minLength: 1, maxLength: 1_000 });
const optional = Type.Optional;
const words = Type.Enum;

const shownStates = ["ok", "ready", "waiting", "running", "failed", "blocked"] as const;
export const jobStates = ["ready", "waiting", "running", "ok", "failed", "cancelled", "interrupted"] as const;
const looks = [
  "ok",
  "ready",
  "waiting",
  "running",
  "failed",
  "trouble",
  "blocked",
  "cancelled",
  "interrupted",
] as const;
const intentStates = ["planned", "applied", "unknown", "verified", "failed", "rolled-back", "superseded"] as const;

export const FailureJson = Type.Object({
  code: Type.String(),
  message: Type.String(),
  class: words(["transient", "failed", "system"] as const),
  hint: optional(Type.String()),
  retryAt: optional(Time),
});

const ProgressJson = Type.Object({ done: Type.Number(), total: Type.Number(), label: Type.String() });

export const NodeJson = Type.Object({
  key: Type.String(),
  label: Type.String(),
  kind: Type.String(),
  group: Type.String(),
  state: words(shownStates),
  /** How our pages draw it, and the word they put beside it. */
  look: words(looks),
  word: Type.String(),
  detail: Type.String(),
  at: optional(Type.String()),
  job: optional(Type.String()),
  updating: optional(words(["ready", "waiting", "running"] as const)),
  staleSince: optional(Time),
  failure: optional(FailureJson),
  progress: optional(ProgressJson),
});

const EdgeJson = Type.Object({ from: Type.String(), to: Type.String(), dashed: optional(Type.Boolean()) });

export const GraphJson = Type.Object({
  step: Type.Number(),
  structure: Type.Number(),
  nodes: Type.Array(NodeJson),
  edges: Type.Array(EdgeJson),
});

export const StepJson = Type.Object({
  step: Type.Number(),
  structure: Type.Number(),
  changed: Type.Array(NodeJson),
  added: Type.Array(NodeJson),
  removed: Type.Array(Type.String()),
  /** Set when boxes or edges came or went: all edges that end in a box of `changed` or `added`. */
  edges: optional(Type.Array(EdgeJson)),
});

export const JobJson = Type.Object({
  id: Type.String(),
  op: Type.String(),
  term: Type.String(),
  description: Type.String(),
  state: words(jobStates),
  level: optional(words(levels)),
  pool: optional(Type.String()),
  build: Type.Number(),
  created: Time,
  started: optional(Time),
  ended: optional(Time),
  error: optional(FailureJson),
  note: optional(Type.String()),
  headline: optional(Type.String()),
  progress: optional(ProgressJson),
  usuallyMs: optional(Type.Number()),
  can: Type.Object({ rebuild: Type.Boolean(), cancel: Type.Boolean(), start: Type.Boolean() }),
  waitingFor: optional(Type.String()),
});

export const JobDetailJson = Type.Intersect([
  JobJson,
  Type.Object({
    because: Type.Array(
      Type.Object({ id: Type.Number(), at: Time, kind: Type.String(), subject: Type.String(), detail: Type.String() }),
    ),
    inputs: Type.Array(
      Type.Object({ name: Type.String(), digest: Type.String(), text: Type.String(), changed: Type.Boolean() }),
    ),
    history: Type.Array(JobJson),
    at: optional(Type.String()),
  }),
]);

/** `next` is the `before` of the next page; absent on the last one. */
export const JobsJson = Type.Object({ jobs: Type.Array(JobJson), next: optional(Type.String()) });

export const ServiceJson = Type.Object({
  term: Type.String(),
  name: Type.String(),
  kind: Type.String(),
  host: Type.String(),
  url: optional(Type.String()),
  source: Type.String(),
  state: words(shownStates),
  wanted: optional(Type.String()),
  running: optional(Type.String()),
  since: optional(Time),
  job: optional(Type.String()),
  detail: Type.String(),
  at: optional(Type.String()),
  drift: words(driftPolicies),
  adoptable: Type.Boolean(),
});

export const DeployJson = Type.Object({
  id: Type.String(),
  lane: Type.String(),
  kind: Type.String(),
  term: Type.String(),
  job: Type.String(),
  generation: Type.Number(),
  epoch: Type.Number(),
  digest: Type.String(),
  before: Type.Union([Type.String(), Type.Null()]),
  state: words(intentStates),
  evidence: Type.Union([Type.String(), Type.Null()]),
  created: Time,
  ended: optional(Time),
});

const count = Type.Number();
export const StatsJson = Type.Object({
  ok: count,
  ready: count,
  waiting: count,
  running: count,
  failed: count,
  blocked: count,
});

/** A problem of the whole, as the pages show it at the top: a full disk, a dry run. */
export const BannerJson = Type.Object({
  code: Type.String(),
  level: words(["info", "warning", "error"] as const),
  text: Type.String(),
});

export const ThresholdJson = Type.Object({
  threshold: words([...levels, "none"] as const),
  setBy: Type.String(),
  autoRelease: optional(Time),
});

export const ActionJson = Type.Object({ job: optional(Type.String()) });

/** RFC 9457, with the code of `doc/errors.md` and what to do. */
export const ProblemJson = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Number(),
  detail: Type.String(),
  code: Type.String(),
  hint: optional(Type.String()),
});

export const JobPath = Type.Object({ date: Type.String(), id: Type.String() });
export const JobsQuery = Type.Object({
  op: optional(Type.String({ maxLength: 100 })),
  state: optional(words(jobStates)),
  term: optional(Key),
  date: optional(Type.String({ maxLength: 40 })),
  text: optional(Type.String({ maxLength: 200 })),
  before: optional(Type.String({ maxLength: 200 })),
  limit: optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  /** Only open jobs, oldest first; with a limit those that run before the others. The other filters do not apply. */
  open: optional(Type.Boolean()),
});
export const EventsQuery = Type.Object({
  /** `drawn`: of thousands of checks the snapshot has those that `/pipeline.svg` shows only. */
  graph: optional(words(["whole", "drawn"] as const)),
});
/** A byte offset into the log. */
const Offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 });
export const LogQuery = Type.Object({ from: optional(Offset) });
export const HistoryQuery = Type.Object({
  term: optional(Key),
  limit: optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
});
/** For the audit log. */
export const Why = optional(Type.String({ maxLength: WHY_CHARS_MAX }));
/** The whole body may be left out. */
export const WhyBody = Type.Union([Type.Object({ why: Why }), Type.Null()]);
export const ConfirmBody = Type.Object({ threshold: words([...levels, "none"] as const), why: Why });
/** A commit of a stranger's pull request that waits for a maintainer. */
export const WaitingJson = Type.Object({
  repository: Type.Integer(),
  name: Type.String(),
  pull: Type.Integer(),
  commit: Type.String(),
  author: Type.Object({ id: Type.Integer(), login: Type.String() }),
  fork: Type.String(),
  term: Type.String(),
  url: optional(Type.String()),
  since: Time,
});
/** The commit by its full name: nothing else of the pull request is approved. */
export const ApproveBody = Type.Object({
  repository: Type.Integer({ minimum: 1 }),
  pull: Type.Integer({ minimum: 1 }),
  commit: Type.String({ pattern: "^[0-9a-f]{40,64}$" }),
  why: Why,
});
export const AdoptBody = Type.Object({ term: Key, why: Why });

export type NodeJson = Static<typeof NodeJson>;
export type JobJson = Static<typeof JobJson>;
export type JobDetailJson = Static<typeof JobDetailJson>;
export type { Static, TSchema };
