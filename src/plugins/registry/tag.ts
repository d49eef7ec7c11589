import type { Clock } from "../../engine/clock.ts";
import type { Applied, Change, Observed, Settled, TargetKind } from "../../engine/effects/target.ts";
import { UNKNOWN_UNTIL_BUILT } from "../../engine/effects/target.ts";
import { problem } from "../../engine/errors.ts";
import type { Job } from "../../engine/job.ts";
import type { Codec } from "../../engine/json.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import type { RegistryClient } from "./client.ts";
import { parseImage, type Repository } from "./reference.ts";

/** A public tag. */
export interface TagSpec {
  /** `host/path`, as in an image's name. */
  readonly repo: string;
  readonly tag: string;
}

/** The manifest that the tag is to point at; it lies in the same repository already. */
export interface TagWanted {
  readonly repo: string;
  /** `sha256:…`. */
  readonly digest: string;
}

export interface TagRef {
  readonly digest: string;
}

export interface TagPorts {
  readonly client: RegistryClient;
  readonly clock: Clock;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const POLL_MS = 500;
const BACK_OFF_MAX_MS = 10_000;
/** A registry of several machines may show the old tag for a moment. */
const SETTLE_MS = 60_000;
const UNREACHABLE_MS = 10 * 60_000;

/**
 * A tag of a registry, moved by putting the wanted manifest's own bytes under it: the digest stays.
 *
 * A registry has no compare-and-set and holds no receipt. So the guard is `none`, `receipt` is always absent, and the
 * tag pointing at the wanted digest is all the proof there is, of whoever put it there. Nothing can be told of a write
 * that is still in flight: `fence` does nothing, and a put of a dead process that lands late is seen at the next look, as
 * a change by hand. One request moves a tag, so the time in which that can happen is that of one request.
 */
export function tagKind(ports: TagPorts): TargetKind<TagSpec, TagWanted, Observed, TagRef> {
  return {
    kind: "registry-tag",
    level: "dangerous",
    guard: "none",
    wanted: wantedCodec,
    ref: refCodec,
    lane: (spec) => `registry-tag/${spec.repo}:${spec.tag}`,
    describe: (spec) => `tag ${spec.repo}:${spec.tag}`,
    running: (wanted) => wanted.digest,
    observe: (spec, signal) => observeTag(ports, spec, signal),
    plan: planTag,
    apply: (spec, _seen, wanted, _stamp, job) => moveTag(ports, spec, wanted, job),
    fence: (_spec, seen) => Promise.resolve({ state: "applied", ref: { digest: seen.running ?? "" } }),
    settle: (spec, ref, job) => settleTag(ports, spec, ref, job),
  };
}

async function observeTag(ports: TagPorts, spec: TagSpec, signal: AbortSignal): Promise<Result<Observed>> {
  const image = parseImage(`${spec.repo}:${spec.tag}`);
  if (!image.ok) return image;
  const head = await ports.client.headManifest(image.value, spec.tag, signal);
  if (!head.ok) return head;
  const digest = head.value?.digest;
  // A tag that is not there yet is a place like any other: the first put makes it.
  if (digest === undefined) return success({ exists: true, version: "", motion: "steady", ref: null });
  return success({ exists: true, running: digest, version: digest, motion: "steady", ref: { digest } });
}

function planTag(spec: TagSpec, seen: Observed, wanted: TagWanted | typeof UNKNOWN_UNTIL_BUILT): readonly Change[] {
  const after = wanted === UNKNOWN_UNTIL_BUILT ? wanted : wanted.digest;
  return after === seen.running ? [] : [{ field: `tag ${spec.tag}`, before: seen.running ?? "none", after }];
}

async function moveTag(ports: TagPorts, spec: TagSpec, wanted: TagWanted, job: Job): Promise<Applied<TagRef>> {
  const image = placeOf(spec, wanted);
  if (!image.ok) return unapplied(image.error);
  job.log(`${spec.repo}:${spec.tag} → ${wanted.digest}`);
  const manifest = await ports.client.getManifest(image.value, wanted.digest, job.signal);
  if (!manifest.ok) return unapplied(manifest.error);
  // Once it is sent it cannot be taken back, so the job's signal does not end it.
  const put = await ports.client.putManifest(image.value, spec.tag, manifest.value, new AbortController().signal);
  return put.ok ? { state: "applied", ref: { digest: wanted.digest } } : unapplied(put.error);
}

/** What heals by itself is looked at again; the put may even have got through. */
const unapplied = (error: Failure): Applied<never> =>
  error.class === "transient" ? { state: "unknown", detail: error.message } : { state: "refused", error };

/** A manifest names the layers of its own repository only, so it cannot be put under a tag of another. */
function placeOf(spec: TagSpec, wanted: TagWanted): Result<Repository> {
  const image = parseImage(`${spec.repo}:${spec.tag}`);
  if (!image.ok || wanted.repo === spec.repo) return image;
  const sentence = `tag ${spec.repo}:${spec.tag}: the image is in ${wanted.repo}, expected ${spec.repo}`;
  return failure(problem("REGISTRY_REPO_DIFFERS", sentence));
}

async function settleTag(ports: TagPorts, spec: TagSpec, ref: TagRef, job: Job): Promise<Settled> {
  const begunMs = ports.clock.elapsed();
  for (let looks = 1; ; looks++) {
    const seen = await observeTag(ports, spec, job.signal);
    const elapsedMs = ports.clock.elapsed() - begunMs;
    if (job.signal.aborted)
      return { state: "unreachable", error: problem("CANCELLED", `no longer watching ${spec.repo}`) };
    const shown = seen.ok ? (seen.value.running ?? "nothing") : "";
    if (shown === ref.digest) return { state: "healthy", evidence: `${spec.repo}:${spec.tag} is ${ref.digest}` };
    if (seen.ok && elapsedMs >= SETTLE_MS) {
      const evidence = `${spec.repo}:${spec.tag} is ${shown}, expected ${ref.digest}: somebody else has moved it`;
      return { state: "failed", evidence };
    }
    if (!seen.ok && (elapsedMs >= UNREACHABLE_MS || seen.error.class !== "transient")) {
      return { state: "unreachable", error: seen.error };
    }
    await ports.clock.sleep(Math.min(BACK_OFF_MAX_MS, POLL_MS * 2 ** looks), job.signal);
  }
}

const textOf = (json: unknown, name: string): string => {
  const found: unknown = typeof json === "object" && json !== null ? Reflect.get(json, name) : undefined;
  return typeof found === "string" ? found : "";
};

const wantedCodec: Codec<TagWanted> = {
  encode: ({ repo, digest }) => ({ repo, digest }),
  decode: (json) => {
    const [repo, digest] = [textOf(json, "repo"), textOf(json, "digest")];
    return repo !== "" && DIGEST.test(digest) ? { repo, digest } : undefined;
  },
};

const refCodec: Codec<TagRef> = {
  encode: ({ digest }) => ({ digest }),
  decode: (json) => (DIGEST.test(textOf(json, "digest")) ? { digest: textOf(json, "digest") } : undefined),
};
