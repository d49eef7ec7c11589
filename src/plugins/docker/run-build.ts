import { problem } from "../../engine/errors.ts";
import type { Job } from "../../engine/job.ts";
import { scrub } from "../../engine/secret.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { BuildLog } from "./build-log.ts";
import { type Confined, confinement, mayBeBuilt } from "./confine.ts";
import { cancelReason, type Engine, isNoSpace } from "./connect.ts";
import { type PackedContext, packContext } from "./context.ts";
import { findDockerfile, readIgnore } from "./dockerfile.ts";
import { type EngineEvent, eventsOf, textOf } from "./events.ts";
import { decodeTrace } from "./trace.ts";

export interface BuildRequest {
  /** The checkout. */
  readonly dir: string;
  readonly commit: string;
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Cache mounts are shared by builds with the same scope only. */
  readonly cacheScope: string;
  /** What was written by somebody who may not deploy it: see `Confined`. Default: trusted. */
  readonly confined?: Confined;
}

/** Sends a checkout to the engine and follows the build; returns the image's id. Aborting the job stops the build. */
export async function runBuild(engine: Engine, request: BuildRequest, job: Job): Promise<Result<string>> {
  const dockerfile = await findDockerfile(request.dir, request.dockerfile, request.commit);
  if (!dockerfile.ok) return dockerfile;
  if (request.confined !== undefined) {
    const may = await mayBeBuilt(request.dir, dockerfile.value, request.confined);
    if (!may.ok) return may;
  }
  const ignore = await readIgnore(request.dir, dockerfile.value);
  if (!ignore.ok) return ignore;
  if (job.signal.aborted) return cancelled(job);
  const context = packContext(request.dir, ignore.value, dockerfile.value);
  const log = new BuildLog(job);
  let packing: Error | undefined;
  context.stream.once("error", (error: Error) => {
    packing = error;
  });
  try {
    const stream = await send(engine, context, dockerfile.value, request, job.signal);
    return await follow(engine, stream, context, log, job);
  } catch (error) {
    if (job.signal.aborted) return cancelled(job);
    if (packing !== undefined) return failure(problem("CONTEXT_REFUSED", `packing the context: ${packing.message}`));
    return failure(engine.failureOf(error, `building ${request.dockerfile} of ${request.commit}`));
  } finally {
    context.stream.destroy();
  }
}

/**
 * Starts the build. It is sent without dockerode's own session: that one hands the same credentials to whichever
 * registry a Dockerfile names, and is never closed when a build is given up.
 *
 * @source docs.docker.com/reference/api/engine, ImageBuild: version 2 is BuildKit
 */
function send(
  engine: Engine,
  context: PackedContext,
  dockerfile: string,
  request: BuildRequest,
  signal: AbortSignal,
): Promise<NodeJS.ReadableStream> {
  const buildargs = JSON.stringify({ ...request.buildArgs, BUILDKIT_CACHE_MOUNT_NS: request.cacheScope });
  const { confined, cacheScope } = request;
  const options = {
    version: "2",
    dockerfile,
    buildargs,
    rm: true,
    forcerm: true,
    ...(confined === undefined ? {} : confinement(confined, cacheScope)),
  };
  return new Promise((resolve, reject) => {
    engine.client.modem.dial(
      {
        path: "/build?",
        method: "POST",
        file: context.stream,
        options,
        abortSignal: signal,
        isStream: true,
        statusCodes: { 200: true },
      },
      (error, answer) => {
        if (error !== null) reject(error);
        else if (isStream(answer)) resolve(answer);
        else reject(new Error("the engine's answer is no stream"));
      },
    );
  });
}

const isStream = (answer: unknown): answer is NodeJS.ReadableStream =>
  typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer;

async function follow(
  engine: Engine,
  stream: NodeJS.ReadableStream,
  context: PackedContext,
  log: BuildLog,
  job: Job,
): Promise<Result<string>> {
  let image: string | undefined;
  let error: string | undefined;
  for await (const event of eventsOf(stream)) {
    if (event.id === "moby.buildkit.trace") addTrace(log, event, job);
    if (event.id === "moby.image.id") image = textOf(event.aux, "ID");
    error ??= event.error;
  }
  if (job.signal.aborted) return cancelled(job);
  const { files, bytes } = context.packed;
  job.log(`the context had ${files} entries, ${(bytes / 1e6).toFixed(1)} MB`);
  if (error !== undefined) return failure(buildFailure(engine, error, log));
  if (image !== undefined) return success(image);
  return failure(engine.failureOf(new Error("the connection was closed before the build ended"), "building"));
}

function addTrace(log: BuildLog, event: EngineEvent, job: Job): void {
  if (typeof event.aux !== "string") return;
  try {
    log.add(decodeTrace(event.aux));
  } catch (error) {
    job.log(`a line of the build's trace is not readable: ${error instanceof Error ? error.message : "unknown"}`);
  }
}

/** What the engine says when it ends itself, and when a registry does not answer while a base image is looked up. */
const ENGINE_ENDS =
  /context canceled|transport is closing|code = Unavailable|shutting down|graceful.?stop|use of closed/i;
const BASE_IMAGE = /failed to resolve source metadata|failed to (?:copy|fetch|do request)|load metadata/i;
const NETWORK =
  /no such host|i\/o timeout|timeout awaiting|TLS handshake timeout|connection (?:refused|reset)|temporary failure|network is unreachable|toomanyrequests|status(?: code)?:? 5\d\d|server misbehaving|: EOF/i;

function buildFailure(engine: Engine, error: string, log: BuildLog): Failure {
  const message = scrub(error.trim());
  const fault = log.fault;
  const full = [message, ...(fault?.tail ?? [])].find(isNoSpace);
  if (full !== undefined) return problem("NO_SPACE", `the engine's disk is full: ${scrub(full)}`);
  if (fault === undefined && ENGINE_ENDS.test(message)) {
    return problem("ENGINE_UNREACHABLE", `the engine (${engine.endpoint}) ended during the build: ${message}`);
  }
  if (BASE_IMAGE.test(message) && NETWORK.test(message)) return problem("BASE_UNREACHABLE", message);
  if (fault === undefined) return problem("BUILD_FAILED", message);
  const killed = /exit code: 137\b/.test(message) ? " (killed: most often for want of memory)" : "";
  const output = fault.tail.length === 0 ? "" : `\n${fault.tail.map((line) => scrub(line)).join("\n")}`;
  return problem("BUILD_FAILED", `${scrub(fault.name)}: ${scrub(fault.error)}${killed}${output}`);
}

const cancelled = (job: Job): Result<never> => failure(problem("CANCELLED", cancelReason(job.signal)));
