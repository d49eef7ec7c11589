import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Readable } from "node:stream";
import type { Failure, Result } from "../term/output.ts";
import { failure, success } from "../term/output.ts";
import { problem } from "./errors.ts";

const GRACE_MS = 5_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** The whole environment of the child: nothing is inherited but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** Aborting sends SIGTERM to the process group, then SIGKILL after five seconds. */
  readonly signal?: AbortSignal;
  /** Called with all that it writes, on standard output and standard error. */
  readonly onOutput?: (chunk: Buffer) => void;
}

/** PATH of this process: the only variable a child inherits. Set once by `app/`. */
let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
export function setSearchPath(path: string): void {
  searchPath = path;
}

/**
 * Runs a program without a shell, in a process group of its own, and returns its standard output.
 *
 * Fails with `COMMAND_NOT_FOUND`, `NO_PROCESS`, `CANCELLED`, `OUTPUT_TOO_LONG` (more than is kept, and nobody is told of
 * it meanwhile: the program is ended) or `COMMAND_FAILED` (the message ends with the last lines of stderr).
 */
export async function run(command: Command): Promise<Result<Buffer>> {
  const [program, ...args] = command.argv;
  if (command.signal?.aborted) return failure(problem("CANCELLED", reasonOf(command.signal)));
  const child = spawnIn(program, args, command);
  if (child instanceof Error) return failure(notStarted(program, child));
  if (!isWhole(child)) return failure(notStarted(program, await errorOf(child)));
  const output: Buffer[] = [];
  const errorTail: Buffer[] = [];
  let kept = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    kept += chunk.length;
    if (kept <= OUTPUT_BYTES_MAX) output.push(chunk);
    else if (command.onOutput === undefined) killGroup(child, "SIGKILL");
    command.onOutput?.(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errorTail.push(chunk);
    if (errorTail.length > 64) errorTail.shift();
    command.onOutput?.(chunk);
  });
  child.stdin.on("error", () => {}); // the child may close its input early: its exit status tells
  child.stdin.end(command.stdin);
  const stopListening = killOnAbort(child, command.signal);
  const ended = await new Promise<{ code: number | null; signal: string | null; error?: NodeJS.ErrnoException }>(
    (resolve) => {
      child.on("error", (error) => resolve({ code: null, signal: null, error }));
      child.on("close", (code, signal) => resolve({ code, signal }));
    },
  );
  stopListening();
  if (ended.error) return failure(notStarted(program, ended.error));
  if (command.signal?.aborted) return failure(problem("CANCELLED", reasonOf(command.signal)));
  if (kept > OUTPUT_BYTES_MAX && command.onOutput === undefined) return tooMuch(program);
  if (ended.code === 0) return success(Buffer.concat(output));
  const how = ended.signal === null ? `exit status ${ended.code}` : `signal ${ended.signal}`;
  const tail = Buffer.concat(errorTail).toString("utf8").trim().split("\n").slice(-3).join("\n");
  return failure(
    problem("COMMAND_FAILED", `${program} ${args[0] ?? ""} ended with ${how}${tail === "" ? "" : `: ${tail}`}`),
  );
}

/** A part of it must not be taken for the whole: a list of files that is cut off, say. */
const tooMuch = (program: string): Result<never> =>
  failure(
    problem(
      "OUTPUT_TOO_LONG",
      `${program} wrote more than ${OUTPUT_BYTES_MAX / 1024 ** 2} MiB, which is the most that is read`,
    ),
  );

/** Node throws some of the system's refusals at once, and tells of others a moment later. */
function spawnIn(program: string, args: readonly string[], command: Command): ChildProcess | Error {
  try {
    return spawn(program, args, {
      cwd: command.cwd,
      env: { PATH: searchPath, LC_ALL: "C.UTF-8", ...command.env },
      detached: true, // its own process group, so that grandchildren are reached too
      stdio: ["pipe", "pipe", "pipe"],
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Without free file handles Node gives a child that has no streams, and tells of the error a moment later. */
const isWhole = (child: ChildProcess): child is ChildProcessWithoutNullStreams => child.stdout instanceof Readable;

const errorOf = (child: ChildProcess): Promise<Error> => new Promise((resolve) => void child.once("error", resolve));

/** The machine may have run out of something, which heals; else the program itself is the matter. */
function notStarted(program: string, error: Error): Failure {
  const message = `cannot run ${program}: ${error.message}`;
  const code = "code" in error ? error.code : "";
  const exhausted = code === "EMFILE" || code === "ENFILE" || code === "EAGAIN" || code === "ENOMEM";
  return problem(exhausted ? "NO_PROCESS" : "COMMAND_NOT_FOUND", message);
}

const reasonOf = (signal: AbortSignal): string => (typeof signal.reason === "string" ? signal.reason : "cancelled");

/** SIGTERM to the whole group, SIGKILL after the grace; returns how to stop listening. */
function killOnAbort(child: ChildProcess, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    killGroup(child, "SIGTERM");
    timer = setTimeout(() => killGroup(child, "SIGKILL"), GRACE_MS);
    timer.unref();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  };
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // the group is gone already
  }
}
