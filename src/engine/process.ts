import { type ChildProcess, spawn } from "node:child_process";
import type { Result } from "../term/output.ts";
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
  /** Called with standard error, and with standard output unless `capture` is set. */
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
 * Fails with `COMMAND_NOT_FOUND`, `CANCELLED` or `COMMAND_FAILED` (the message ends with the last lines of stderr).
 */
export async function run(command: Command): Promise<Result<Buffer>> {
  const [program, ...args] = command.argv;
  if (command.signal?.aborted) return failure(problem("CANCELLED", reasonOf(command.signal)));
  const child = spawn(program, args, {
    cwd: command.cwd,
    env: { PATH: searchPath, LC_ALL: "C.UTF-8", ...command.env },
    detached: true, // its own process group, so that grandchildren are reached too
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  const errorTail: Buffer[] = [];
  let kept = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    kept += chunk.length;
    if (kept <= OUTPUT_BYTES_MAX) output.push(chunk);
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
  if (ended.error) return failure(problem("COMMAND_NOT_FOUND", `cannot run ${program}: ${ended.error.message}`));
  if (command.signal?.aborted) return failure(problem("CANCELLED", reasonOf(command.signal)));
  if (ended.code === 0) return success(Buffer.concat(output));
  const how = ended.signal === null ? `exit status ${ended.code}` : `signal ${ended.signal}`;
  const tail = Buffer.concat(errorTail).toString("utf8").trim().split("\n").slice(-3).join("\n");
  return failure(
    problem("COMMAND_FAILED", `${program} ${args[0] ?? ""} ended with ${how}${tail === "" ? "" : `: ${tail}`}`),
  );
}

const reasonOf = (signal: AbortSignal): string => (typeof signal.reason === "string" ? signal.reason : "cancelled");

/** SIGTERM to the whole group, SIGKILL after the grace; returns how to stop listening. */
function killOnAbort(child: ChildProcess, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  let timer: NodeJS.Timeout | undefined;
  const kill = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // the group is gone already
    }
  };
  const onAbort = (): void => {
    kill("SIGTERM");
    timer = setTimeout(() => kill("SIGKILL"), GRACE_MS);
    timer.unref();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  };
}
