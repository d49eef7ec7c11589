import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { limit } from "../../engine/abort.ts";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { run } from "../../engine/process.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { Locks } from "./locks.ts";
import type { Protocol } from "./source.ts";

/** What every git operation needs. Made once by `createGit`. */
export interface GitContext {
  /** The state directory: caches go to `git/`, temporary checkouts to `tmp/` below it. */
  readonly state: string;
  readonly clock: Clock;
  /** One operation at a time on each cache. */
  readonly locks: Locks;
  /** Caches that this process has looked over: leftovers of a killed one are removed at the first use. */
  readonly opened: Set<string>;
  /** What is fetched with it waits for all else that is to be fetched from the same repository. Default: in turn. */
  readonly behind?: boolean;
}

export const createGit = (state: string, clock: Clock): GitContext => ({
  state: resolve(state), // git is run from other directories
  clock,
  locks: new Locks(),
  opened: new Set(),
});

export interface GitCall {
  /** The git command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** The repository that it works on; default none. */
  readonly gitDir?: string;
  /** Default: an empty directory. */
  readonly cwd?: string;
  /** Protocols that this call may use; default none. */
  readonly protocols?: readonly Protocol[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of git, `name=value`: they come before our own. */
  readonly settings?: readonly string[];
  readonly signal: AbortSignal;
  /** Default: an hour. */
  readonly timeoutMs?: number;
  readonly onOutput?: (chunk: Buffer) => void;
}

const TIMEOUT_MS = 3_600_000;

/** What a repository could otherwise make git run or read is switched off. */
const HARDENED = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.logAllRefUpdates=false",
  "core.attributesFile=/dev/null",
  "core.excludesFile=/dev/null",
  "credential.helper=",
  "gc.autoDetach=false",
  "advice.detachedHead=false",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  "fetch.fsckObjects=true",
  // Faults that old repositories have and that harm nobody.
  "fetch.fsck.zeroPaddedFilemode=ignore",
  "fetch.fsck.badTimezone=ignore",
  "fetch.fsck.missingSpaceBeforeDate=ignore",
  "fetch.fsck.missingSpaceBeforeEmail=ignore",
  "fetch.fsck.missingNameBeforeEmail=ignore",
  "fetch.fsck.missingEmail=ignore",
  "fetch.fsck.badEmail=ignore",
  "fetch.fsck.zeroPaddedDate=ignore",
  // A connection that gives nothing any more is given up, however long a fetch may take.
  "http.lowSpeedLimit=1000",
  "http.lowSpeedTime=60",
].flatMap((setting) => ["-c", setting]);

/**
 * Runs git away from everybody's configuration, without hooks, filters, prompts and undeclared protocols.
 *
 * Fails as `run` does, and with `TIMED_OUT` and `STORE_FULL`; `isOfMachine` tells what is nobody's fault.
 */
export async function git(context: GitContext, call: GitCall): Promise<Result<Buffer>> {
  const home = join(context.state, "git", "home");
  const config = join(context.state, "git", "config");
  await prepare(context, home, config);
  const { timeoutMs = TIMEOUT_MS } = call;
  const settings = call.settings?.flatMap((setting) => ["-c", setting]) ?? [];
  const directory = call.gitDir === undefined ? [] : [`--git-dir=${call.gitDir}`];
  const limited = limit(context.clock, timeoutMs, call.signal);
  const result = await run({
    argv: ["git", ...directory, ...HARDENED, ...settings, ...call.args],
    cwd: call.cwd ?? (context.opened.has(home) ? home : context.state),
    env: { ...environment(context, home, config), GIT_ALLOW_PROTOCOL: protocolList(call.protocols), ...call.env },
    signal: limited.signal,
    ...(call.onOutput === undefined ? {} : { onOutput: call.onOutput }),
  });
  limited.end();
  if (result.ok) return result;
  if (limited.signal.aborted && !call.signal.aborted) {
    const message = `git ${call.args[0]} gave no answer within ${Math.round(timeoutMs / 1000)} s`;
    return failure(problem("TIMED_OUT", message, { hint: "Find out what is so slow, then press Rebuild." }));
  }
  return failure(named(result.error, call.args[0]));
}

/** An empty value would allow everything, so a protocol that does not exist stands for none. */
const protocolList = (protocols: readonly Protocol[] = []): string => protocols.join(":") || "none";

function environment(context: GitContext, home: string, config: string): Record<string, string> {
  return {
    HOME: home,
    XDG_CONFIG_HOME: home,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: config,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_CEILING_DIRECTORIES: context.state,
    GIT_SSH_COMMAND: "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15",
  };
}

async function prepare(context: GitContext, home: string, config: string): Promise<void> {
  if (context.opened.has(home)) return;
  try {
    await mkdir(home, { recursive: true });
    // A local repository may belong to another user. This has to be a file: git hides settings of the command line
    // from the process that serves a local fetch.
    await writeFile(config, "[safe]\n\tdirectory = *\n");
    context.opened.add(home);
  } catch {
    // A state directory that is read only or full: reads of heads work without these two.
  }
}

/** Whether git is there at all; fails with `COMMAND_NOT_FOUND`. To be asked at the start: nothing works without it. */
export async function gitThere(): Promise<Result<void>> {
  const asked = await run({ argv: ["git", "--version"] });
  return asked.ok || asked.error.code !== "COMMAND_NOT_FOUND" ? success(undefined) : asked;
}

/** The same failure, naming the git command instead of its first option, and what the machine lacks as what it is. */
function named(error: Failure, command: string): Failure {
  const message = error.message.replace(/^git \S+ ended/, `git ${command} ended`);
  if (/no space left on device|disk quota exceeded/i.test(message)) return problem("STORE_FULL", message);
  if (/too many open files|cannot fork|unable to fork|cannot allocate memory/i.test(message))
    return problem("NO_PROCESS", message);
  return { ...error, message };
}

/** Whether the machine lacks something, which heals: neither the repository nor our cache of it is to blame. */
export const isOfMachine = ({ code }: Failure): boolean => code === "STORE_FULL" || code === "NO_PROCESS";

/** What the file system says about our own files, as a failure. */
export function fileFailure(error: unknown, doing: string): Failure {
  const code = error instanceof Error && "code" in error ? error.code : "";
  const message = `${doing}: ${error instanceof Error ? error.message : String(error)}`;
  if (code === "ENOSPC" || code === "EDQUOT") return problem("STORE_FULL", message);
  if (code === "EMFILE" || code === "ENFILE") return problem("NO_PROCESS", message);
  return problem("PROGRAM_FAULT", message);
}
