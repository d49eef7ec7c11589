import type { Waiting } from "../../engine/approvals.ts";
import type { EventRow, IntentRow, JobInputRow } from "../../engine/store/store.ts";
import type { GraphChange, GraphNode, GraphSnapshot, JobDetail, JobView, ServiceView } from "../../engine/view.ts";
import type { Failure } from "../../term/output.ts";
import { markOfNode } from "../looks.ts";
import { iso } from "../text.ts";
import type {
  DeployJson,
  FailureJson,
  GraphJson,
  JobDetailJson,
  JobJson,
  NodeJson,
  ServiceJson,
  Static,
  StepJson,
  WaitingJson,
} from "./schemas.ts";

/** What is handed to the serializer: fields that are `undefined` are left out of the JSON. */
export type Sent<T> = T extends readonly (infer E)[]
  ? readonly Sent<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Sent<T[K]> | undefined }
    : T;

const time = (ms: number | null | undefined): string | undefined =>
  ms === null || ms === undefined ? undefined : iso(ms);

const failureJson = (failure: Failure): Sent<Static<typeof FailureJson>> => ({
  code: failure.code,
  message: failure.message,
  class: failure.class,
  hint: failure.hint,
  retryAt: time(failure.retryAtMs),
});

const nodeJson = (node: GraphNode): Sent<NodeJson> => ({
  key: node.key,
  label: node.label,
  kind: node.kind,
  group: node.group,
  state: node.state,
  ...markOfNode(node),
  detail: node.detail,
  at: node.at,
  job: node.job,
  updating: node.updating,
  staleSince: time(node.staleSinceMs),
  failure: node.failure && failureJson(node.failure),
  progress: node.progress && { ...node.progress },
});

export const graphJson = (graph: GraphSnapshot): Sent<Static<typeof GraphJson>> => ({
  step: graph.step,
  structure: graph.structure,
  nodes: graph.nodes.map((node) => nodeJson(node)),
  edges: graph.edges.map((edge) => ({ ...edge })),
});

export const stepJson = (change: Extract<GraphChange, { kind: "step" }>): Sent<Static<typeof StepJson>> => ({
  step: change.step,
  structure: change.structure,
  changed: change.changed.map((node) => nodeJson(node)),
  added: change.added.map((node) => nodeJson(node)),
  removed: [...change.removed],
  edges: change.edges?.map((edge) => ({ ...edge })),
});

export const jobJson = (job: JobView): Sent<JobJson> => ({
  id: job.id,
  op: job.op,
  term: job.term,
  description: job.description,
  state: job.state,
  level: job.level,
  pool: job.pool,
  build: job.build,
  created: iso(job.createdMs),
  started: time(job.startedMs),
  ended: time(job.endedMs),
  error: job.error && failureJson(job.error),
  note: job.note,
  headline: job.headline,
  progress: job.progress && { ...job.progress },
  usuallyMs: job.usuallyMs,
  can: { rebuild: job.can.rebuild, cancel: job.can.cancel, start: job.can.start },
  waitingFor: job.waitingFor,
});

export const jobDetailJson = (job: JobDetail): Sent<JobDetailJson> => ({
  ...jobJson(job),
  because: job.because.map(eventJson),
  inputs: job.inputs.map(inputJson),
  history: job.history.map(jobJson),
  at: job.at,
});

const eventJson = ({ id, atMs, kind, subject, detail }: EventRow): JobDetailJson["because"][number] => ({
  id,
  at: iso(atMs),
  kind,
  subject,
  detail,
});

const inputJson = ({ name, digest, text, changed }: JobInputRow): JobDetailJson["inputs"][number] => ({
  name,
  digest,
  text,
  changed,
});

export const serviceJson = (service: ServiceView): Sent<Static<typeof ServiceJson>> => ({
  term: service.term,
  name: service.name,
  kind: service.kind,
  host: service.host,
  url: service.url,
  source: service.source,
  state: service.state,
  wanted: service.wanted,
  running: service.running,
  since: time(service.sinceMs),
  job: service.job,
  detail: service.detail,
  at: service.at,
  drift: service.drift,
  adoptable: service.adoptable,
});

export const waitingJson = ({ sinceMs, author, ...one }: Waiting): Sent<Static<typeof WaitingJson>> => ({
  ...one,
  url: one.url,
  author: { id: author.id, login: author.login },
  since: iso(sinceMs),
});

export const deployJson = (intent: IntentRow): Sent<Static<typeof DeployJson>> => ({
  id: intent.id,
  lane: intent.lane,
  kind: intent.kind,
  term: intent.term,
  job: intent.job,
  generation: intent.generation,
  epoch: intent.epoch,
  digest: intent.digest,
  before: intent.before,
  state: intent.state,
  evidence: intent.evidence,
  created: iso(intent.createdMs),
  ended: time(intent.endedMs),
});
