import Dockerode from "dockerode";
import { limit } from "../../engine/abort.ts";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { scrub } from "../../engine/secret.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";

/** An engine that accepts a connection but does not answer is as good as gone. */
const PING_TIMEOUT_MS = 5_000;

/** The client of one Docker engine, shared by everything that talks to that engine. */
export type DockerClient = Dockerode;

/** One Docker engine. Made once by `app/` and handed to whoever needs it. */
export interface Engine {
  /** As given: `unix:///var/run/docker.sock`. */
  readonly endpoint: string;
  readonly client: DockerClient;
  /** Asks for a sign of life, for five seconds at most. Fails with `ENGINE_UNREACHABLE` or `CANCELLED`. */
  ping(signal: AbortSignal): Promise<Result<void>>;
  /** What an error thrown by `client` means; `doing` completes "while …": "pushing shop to 127.0.0.1:5000". */
  failureOf(error: unknown, doing: string): Failure;
}

/**
 * Prepares the connection to an engine; nothing is sent yet, and an engine that is down now may come up later.
 *
 * Fails with `ENGINE_ENDPOINT` when `endpoint` is not `unix:///ABSOLUTE/PATH`.
 */
export function connectEngine(endpoint: string, clock: Clock): Result<Engine> {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(endpoint)?.[1];
  if (socketPath === undefined) {
    return failure(problem("ENGINE_ENDPOINT", `Docker engine "${endpoint}": expected unix:///ABSOLUTE/PATH`));
  }
  // Every option is given, also the empty ones: what is left out is taken from DOCKER_HOST and its relatives.
  const client = new Dockerode({ socketPath, host: "", protocol: "http", ca: "", cert: "", key: "", timeout: 0 });
  const failureOf = (error: unknown, doing: string): Failure => engineFailure(error, doing, endpoint);
  return success({ endpoint, client, failureOf, ping: (signal) => ping(client, clock, signal, failureOf) });
}

async function ping(
  client: DockerClient,
  clock: Clock,
  signal: AbortSignal,
  failureOf: Engine["failureOf"],
): Promise<Result<void>> {
  const limited = limit(clock, PING_TIMEOUT_MS, signal);
  const answer = new Promise<unknown>((resolve, reject) => {
    const options = { path: "/_ping", method: "GET", statusCodes: { 200: true } };
    client.modem.dial({ ...options, abortSignal: limited.signal }, (error, data) =>
      error === null ? resolve(data) : reject(error),
    );
  });
  try {
    await answer;
    return success(undefined);
  } catch (error) {
    if (signal.aborted) return failure(problem("CANCELLED", cancelReason(signal)));
    const silent = new Error(`no answer within ${PING_TIMEOUT_MS / 1000} s`);
    return failure(
      limited.signal.aborted
        ? problem("ENGINE_UNREACHABLE", `while asking the engine for a sign of life: ${silent.message}`)
        : failureOf(error, "asking the engine for a sign of life"),
    );
  } finally {
    limited.end();
  }
}

/** The sentence with which a job was cancelled. */
export const cancelReason = (signal: AbortSignal): string =>
  typeof signal.reason === "string" ? signal.reason : "cancelled";

const GONE = new Set(["ECONNREFUSED", "ENOENT", "EPIPE", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENOTCONN"]);
const GONE_TEXT = /socket hang up|connect ECONNREFUSED|\baborted\b|premature close|closed before|unexpected EOF$/i;

/** `ENGINE_UNREACHABLE`, `NO_SPACE`, `ENGINE_FAULT` (5xx) or `ENGINE_REFUSED` (4xx and whatever else). */
function engineFailure(error: unknown, doing: string, endpoint: string): Failure {
  const { code, message, status } = partsOf(error);
  const sentence = `while ${doing} (engine ${endpoint}): ${message}`;
  if (isNoSpace(message)) return problem("NO_SPACE", sentence);
  if (code === "EACCES") return problem("ENGINE_REFUSED", `${sentence}: this user may not open the engine's socket`);
  if (code !== undefined && GONE.has(code)) return problem("ENGINE_UNREACHABLE", sentence);
  if (status === undefined && GONE_TEXT.test(message)) return problem("ENGINE_UNREACHABLE", sentence);
  return problem(status !== undefined && status >= 500 ? "ENGINE_FAULT" : "ENGINE_REFUSED", sentence);
}

/** Whether an engine's or builder's message says that a disk is full. */
export const isNoSpace = (message: string): boolean => /no space left on device|disk quota exceeded/i.test(message);

/** The HTTP status of an error of the client, when it is an answer of the engine at all. */
export const statusOf = (error: unknown): number | undefined => partsOf(error).status;

function partsOf(error: unknown): { readonly code?: string; readonly message: string; readonly status?: number } {
  if (!(error instanceof Error)) return { message: scrub(String(error)) };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : undefined;
  const message = scrub(error.message.trim().replace(/^\(HTTP code (\d+)\) [^-]* - /, "HTTP $1: "));
  return { message, ...(code === undefined ? {} : { code }), ...(status === undefined ? {} : { status }) };
}
