import type { Applied, Stamp } from "../../engine/effects/target.ts";
import { problem } from "../../engine/errors.ts";
import type { Job } from "../../engine/job.ts";
import type { Failure } from "../../term/output.ts";
import { type Answer, ask } from "./ask.ts";
import { dig, type Fields, isFields } from "./fields.ts";
import { isPinned, registryOf, sameImage } from "./image.ts";
import { describeService, type SwarmSeen, type SwarmSpec } from "./observe.ts";
import type { SwarmPorts, UpdateCall } from "./port.ts";
import { withFence, withReceipt } from "./receipt.ts";
import type { SwarmRef, SwarmWanted } from "./ref.ts";
import type { ServiceState } from "./state.ts";

/** A manager answers a write once its peers have it; after this long the answer is taken for lost. */
const WRITE_LIMIT_MS = 30_000;
const HUB_SERVER = "https://index.docker.io/v1/";

/**
 * Points the service at `wanted` and leaves the receipt, in one write that holds only for the version that was seen.
 *
 * Everything else in the spec is sent back as it was inspected, and an image that is the wanted one in another
 * spelling stays: then no task is replaced. Refuses with `NO_SUCH_SERVICE`, `IMAGE_NOT_PINNED`, `CANCELLED` or
 * `ENGINE_REFUSED`.
 */
export async function applyImage(
  ports: SwarmPorts,
  spec: SwarmSpec,
  seen: SwarmSeen,
  wanted: SwarmWanted,
  stamp: Stamp,
  job: Job,
): Promise<Applied<SwarmRef>> {
  const { service } = seen;
  if (service === undefined) return { state: "refused", error: noSuchService(spec, seen) };
  if (!isPinned(wanted.image)) {
    const sentence = `image ${JSON.stringify(wanted.image)} for ${describeService(spec)}: expected repository@sha256:…`;
    return { state: "refused", error: problem("IMAGE_NOT_PINNED", sentence) };
  }
  const image = sameImage(service.image, wanted.image) ? service.image : wanted.image;
  job.log(`${describeService(spec)}: ${service.image} → ${image} (version ${service.version})`);
  const body = { ...withImage(service.spec, image), Labels: withReceipt(service.labels, stamp) };
  return write(ports, spec, { service, body, image, pulls: wanted.image }, job);
}

/**
 * Writes one label, which moves the version on and so makes every write fail that was sent for the version seen or an
 * earlier one. No task is replaced, and the receipt goes on telling of what runs.
 *
 * Swarm forgets the state of an update that is under way and what it would roll back to, so a deploy of our own is
 * settled and not fenced.
 */
export async function fenceService(
  ports: SwarmPorts,
  spec: SwarmSpec,
  seen: SwarmSeen,
  stamp: Stamp,
  job: Job,
): Promise<Applied<SwarmRef>> {
  const { service } = seen;
  if (service === undefined) return { state: "refused", error: noSuchService(spec, seen) };
  job.log(
    `${describeService(spec)}: fence for intent ${stamp.intent} (version ${service.version}); nothing is replaced`,
  );
  const body = { ...service.spec, Labels: withFence(service.labels, stamp) };
  return write(ports, spec, { service, body, image: service.image }, job);
}

export function noSuchService(spec: SwarmSpec, seen: SwarmSeen): Failure {
  const near = seen.similar.length === 0 ? "" : `; similar: ${seen.similar.join(", ")}`;
  const sentence = `service ${spec.service} does not exist on ${spec.host}${near}`;
  return problem("NO_SUCH_SERVICE", sentence, {
    hint: `Correct its name in pipeline.ts, or create it first: docker service create --name ${spec.service} … IMAGE`,
  });
}

interface Write {
  /** As it was seen. */
  readonly service: ServiceState;
  readonly body: Fields;
  readonly image: string;
  /** The image that the nodes must be able to pull with our credentials. */
  readonly pulls?: string;
}

async function write(ports: SwarmPorts, spec: SwarmSpec, change: Write, job: Job): Promise<Applied<SwarmRef>> {
  const { service, body, pulls } = change;
  const doing = `updating ${describeService(spec)}`;
  if (job.signal.aborted) return { state: "refused", error: problem("CANCELLED", `before ${doing}`) };
  const call = { _query: { version: service.version }, _body: body, ...authOf(ports, pulls) };
  const client = ports.engine(spec.host).getService(service.id);
  // A write that has been sent cannot be taken back, so the job's signal does not end it.
  const question = { doing, limitMs: WRITE_LIMIT_MS };
  const answer = await ask(ports.clock, question, (abortSignal) => client.update({ ...call, abortSignal }));
  return answer.ok ? { state: "applied", ref: refOf(change) } : unapplied(answer);
}

/** Without it the engine keeps the credentials that the service has. */
function authOf(ports: SwarmPorts, image: string | undefined): Pick<UpdateCall, "authconfig"> {
  if (image === undefined) return {};
  const registry = registryOf(image);
  const found = ports.credentials(registry);
  if (found === undefined) return {};
  const serveraddress = registry === "docker.io" ? HUB_SERVER : registry;
  return { authconfig: { username: found.username, password: found.password.reveal(), serveraddress } };
}

/** @source moby v26: a stale version is an unnamed gRPC error, hence 500; only its text tells. */
const STALE = /update out of sequence/;

function unapplied({ status, error }: Exclude<Answer<never>, { ok: true }>): Applied<never> {
  if (STALE.test(error.message)) return { state: "conflict", detail: error.message };
  // No answer, or one that does not say whether the managers agreed: only a look can tell.
  if (status === undefined || status >= 500) return { state: "unknown", detail: error.message };
  if (status === 404) return { state: "conflict", detail: `${error.message}: removed in between` };
  return { state: "refused", error };
}

function refOf({ service, image }: Write): SwarmRef {
  const startedBefore = service.update?.startedAt;
  return {
    service: service.id,
    image,
    updatedBefore: service.updatedAt,
    ...(startedBefore === undefined ? {} : { startedBefore }),
  };
}

function withImage(spec: Fields, image: string): Fields {
  const template = fieldsAt(spec, "TaskTemplate");
  const container = fieldsAt(spec, "TaskTemplate", "ContainerSpec");
  return { ...spec, TaskTemplate: { ...template, ContainerSpec: { ...container, Image: image } } };
}

function fieldsAt(spec: Fields, ...path: readonly string[]): Fields {
  const found = dig(spec, ...path);
  return isFields(found) ? found : {};
}
