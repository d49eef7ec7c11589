import type { Failure, FailureClass } from "../term/output.ts";

interface Entry {
  readonly class: FailureClass;
  /** What to do about it, one sentence. */
  readonly hint: string;
}

const failed = (hint: string): Entry => ({ class: "failed", hint });
const transient = (hint: string): Entry => ({ class: "transient", hint });
const system = (hint: string): Entry => ({ class: "system", hint });

/**
 * Every error code that Millrace reports, with its class and what to do.
 *
 * `doc/errors.md` explains each one; a test holds the two together, both ways.
 */
export const errors = {
  // jobs and the engine
  CANCELLED: failed("Press Rebuild to run it again."),
  TIMED_OUT: failed("Raise its timeout in pipeline.ts, or find out from the log what took so long."),
  INTERRUPTED: transient("Nothing to do: it is taken up again by itself."),
  PROGRAM_FAULT: system("This is a fault of Millrace: report it with the job's log."),
  STORE_FULL: transient("Free space on the disk of the state directory; work goes on by itself."),
  NOT_FOUND: failed("Check the id."),
  NOT_POSSIBLE: failed("Look at the state of the job: the action does not apply any more."),
  // processes
  COMMAND_NOT_FOUND: system("Install the program that is named, or put it on PATH."),
  COMMAND_FAILED: failed("Read the output above the error in the job's log."),
  // git
  REPO_UNREACHABLE: transient(
    "Nothing to do if it comes back by itself; else check the repository's address and access.",
  ),
  REPO_REFUSED: failed("Use an absolute path or a file, https, ssh or git URL of the repository."),
  COMMIT_GONE: failed("Push the commit again, or push a newer one: it is no longer in the repository."),
  SUBMODULE_FAILED: failed("Submodules must be reachable by https or ssh, or lie beside a local repository."),
  CHECKOUT_FAILED: failed("Read git's message in the job's log."),
  // Docker engine
  ENGINE_ENDPOINT: failed("Give the engine as unix:///var/run/docker.sock."),
  ENGINE_UNREACHABLE: transient("Check that the Docker engine runs: docker version."),
  ENGINE_FAULT: transient("Look into the Docker engine's own log if it does not heal."),
  ENGINE_REFUSED: failed("Read the engine's message; what was asked of it cannot work."),
  NO_SPACE: transient("Free space on the engine's disk, with docker system prune for instance."),
  NO_DOCKERFILE: failed("Correct the path in pipeline.ts, or commit the Dockerfile."),
  CONTEXT_REFUSED: failed("Give a path inside the repository, and keep the build's context small with .dockerignore."),
  BUILD_FAILED: failed("Read the output of the failing instruction in the job's log."),
  // registry
  REGISTRY_UNREACHABLE: transient("Check that the registry runs and that the Docker engine can reach it."),
  REGISTRY_REFUSED: failed("Check the registry's user and password, and that this user may write there."),
  PUSH_UNVERIFIED: transient("Nothing to do: the push is repeated; look at the registry if it does not heal."),
} as const satisfies Readonly<Record<string, Entry>>;

export type ErrorCode = keyof typeof errors;

/** A failure with its class and hint from the registry. `message` names what was wrong, with got and expected. */
export function problem(
  code: ErrorCode,
  message: string,
  more?: { readonly class?: FailureClass; readonly hint?: string },
): Failure {
  const entry: Entry = errors[code];
  return { code, message, class: more?.class ?? entry.class, hint: more?.hint ?? entry.hint };
}
