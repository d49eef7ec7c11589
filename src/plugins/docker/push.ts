import type { Builder } from "../../engine/cache/builder.ts";
import { problem } from "../../engine/errors.ts";
import type { Job } from "../../engine/job.ts";
import type { Json } from "../../engine/json.ts";
import type { Pool } from "../../engine/pool.ts";
import { type Secret, scrub } from "../../engine/secret.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import type { BuiltImage, DockerBuildKey } from "./build.ts";
import { cancelReason, type Engine, statusOf } from "./connect.ts";
import { eventsOf, textOf } from "./events.ts";
import { PushLog } from "./push-log.ts";

export interface DockerPushContext {
  readonly engine: Engine;
  /** How many pushes run at the same time. */
  readonly pool: Pool;
  /** User and password of a registry; undefined for none. */
  readonly credentials: (host: string) => { readonly username: string; readonly password: Secret } | undefined;
  /** What a registry answers for a tag: its digest, or undefined when there is no such tag. */
  readonly headManifest: (
    repo: string,
    reference: string,
    signal: AbortSignal,
  ) => Promise<Result<{ readonly digest: string } | undefined>>;
  /** Builds the image again, within this job: the engine may have lost it. */
  readonly rebuild: (job: Job, build: DockerBuildKey) => Promise<Result<BuiltImage>>;
}

export interface DockerPushKey {
  /** Id of the image on the engine. */
  readonly image: string;
  /** `host:port/name`. */
  readonly repo: string;
  /** A tag of our own, named after the build: nobody else moves it, so pushing again does no harm. */
  readonly tag: string;
  readonly build: DockerBuildKey;
}

/** An image in a registry, by the digest that the registry gave it. */
export interface PushedImage {
  readonly repo: string;
  /** `sha256:…` of the manifest. */
  readonly digest: string;
}

const TIMEOUT_MS = 50 * 60_000;
const LEVEL = "above-average";

/**
 * Pushes an image under our own tag. After a crash it is simply done again: layers that are there are not sent twice.
 *
 * Fails with `REGISTRY_UNREACHABLE`, `REGISTRY_REFUSED`, `PUSH_UNVERIFIED`, the `ENGINE_…` codes, or as the build does.
 */
export const dockerPush: Builder<DockerPushContext, DockerPushKey, PushedImage> = {
  id: "docker-push",
  version: 1,
  level: LEVEL,
  autoCancel: false,
  // What is pushed, and where. The tag is named after the build, whose key is not needed on top.
  key: ({ image, repo, tag }) => ({ image, repo, tag }),
  value: { encode: ({ repo, digest }) => ({ repo, digest }), decode: decodePushed },
  describe: ({ repo, tag }) => `docker push ${repo}:${tag}`,
  inputs: ({ image, repo, tag }) => ({ image, repository: repo, tag }),
  build: async (context, key, job) => {
    const started = await job.start({ level: LEVEL, pool: context.pool, timeoutMs: TIMEOUT_MS });
    if (!started.ok) return started;
    const tagged = await tagImage(context, key, job);
    if (!tagged.ok) return tagged;
    const digest = await pushImage(context, key, job);
    return digest.ok ? verify(context, key, digest.value, job) : digest;
  },
};

async function tagImage(context: DockerPushContext, key: DockerPushKey, job: Job): Promise<Result<void>> {
  const { engine } = context;
  const doing = `tagging ${key.image} as ${key.repo}:${key.tag}`;
  const tag = async (image: string): Promise<unknown> =>
    engine.client.getImage(image).tag({ repo: key.repo, tag: key.tag, abortSignal: job.signal });
  try {
    await tag(key.image);
    return success(undefined);
  } catch (error) {
    if (job.signal.aborted) return cancelled(job);
    if (statusOf(error) !== 404) return failure(engine.failureOf(error, doing));
  }
  job.log(`the engine no longer has ${key.image}: it is built again`);
  const built = await context.rebuild(job, key.build);
  if (!built.ok) return built;
  try {
    await tag(built.value.image);
    return success(undefined);
  } catch (error) {
    return job.signal.aborted ? cancelled(job) : failure(engine.failureOf(error, doing));
  }
}

/** Pushes, and returns the digest that the registry's answer to this very push gives. */
async function pushImage(context: DockerPushContext, key: DockerPushKey, job: Job): Promise<Result<string>> {
  const { engine } = context;
  const host = key.repo.split("/")[0] ?? "";
  const known = context.credentials(host);
  const authconfig = known && { username: known.username, password: known.password.reveal(), serveraddress: host };
  const log = new PushLog(job);
  let digest: string | undefined;
  let refused: string | undefined;
  try {
    const image = engine.client.getImage(key.repo);
    const stream = await image.push({ tag: key.tag, authconfig: authconfig ?? {}, abortSignal: job.signal });
    for await (const event of eventsOf(stream)) {
      log.add(event);
      refused ??= event.error;
      digest = textOf(event.aux, "Digest") ?? digest;
    }
  } catch (error) {
    if (job.signal.aborted) return cancelled(job);
    if (statusOf(error) === 404) return failure(gone(key));
    return failure(engine.failureOf(error, `pushing ${key.repo}:${key.tag}`));
  }
  if (job.signal.aborted) return cancelled(job);
  if (refused !== undefined) return failure(NO_IMAGE.test(refused) ? gone(key) : pushFailure(refused, key));
  if (digest !== undefined) return success(digest);
  const cut = new Error("the connection was closed before the push ended");
  return failure(engine.failureOf(cut, `pushing ${key.repo}:${key.tag}`));
}

async function verify(
  context: DockerPushContext,
  key: DockerPushKey,
  digest: string,
  job: Job,
): Promise<Result<PushedImage>> {
  const seen = await context.headManifest(key.repo, key.tag, job.signal);
  if (!seen.ok) return seen;
  if (seen.value?.digest === digest) {
    job.log(`pushed ${key.repo}@${digest}`);
    return success({ repo: key.repo, digest });
  }
  const got = seen.value === undefined ? "has no such tag" : `answers ${seen.value.digest}`;
  return failure(problem("PUSH_UNVERIFIED", `pushed ${key.repo}:${key.tag} as ${digest}, but the registry ${got}`));
}

/** @source moby: what the engine says of a tag that it does not have. */
const NO_IMAGE = /image does not exist locally|tag does not exist/i;

/** Somebody has cleaned up the engine since the image was tagged: when it is tried again it is built again. */
const gone = ({ repo, tag }: DockerPushKey): Failure =>
  problem("ENGINE_FAULT", `pushing ${repo}:${tag}: the engine has just lost the image`);

/** What the engine says when the registry does not answer, or answers that it is ill. */
const UNREACHABLE =
  /connection (?:refused|reset)|no such host|timeout|deadline exceeded|EOF|broken pipe|server misbehaving|network is unreachable|no route to host|\b5\d\d (?:Internal|Bad Gateway|Service|Gateway)|status(?: code)?:? 5\d\d|toomanyrequests|blob upload (?:unknown|invalid)/i;

function pushFailure(error: string, key: DockerPushKey): Failure {
  const message = `pushing ${key.repo}:${key.tag}: ${scrub(error.trim())}`;
  return problem(UNREACHABLE.test(error) ? "REGISTRY_UNREACHABLE" : "REGISTRY_REFUSED", message);
}

const cancelled = (job: Job): Result<never> => failure(problem("CANCELLED", cancelReason(job.signal)));

function decodePushed(json: Json): PushedImage | undefined {
  const repo = textOf(json, "repo");
  const digest = textOf(json, "digest");
  return repo === undefined || digest === undefined ? undefined : { repo, digest };
}
