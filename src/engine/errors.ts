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
