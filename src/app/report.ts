import type { Problem } from "../pipeline/types.ts";
import type { Failure } from "../term/output.ts";
import { type Exit, exitOf } from "./exit.ts";
import type { Io } from "./io.ts";
import type { LoadFailure } from "./load.ts";

/** Says what went wrong, where, and what to do, in at most three lines and without a stack; answers with the exit. */
export function report(io: Io, failure: Failure | LoadFailure): Exit {
  const place = "at" in failure ? `${failure.at}: ` : "";
  io.err(`${io.paintErr("red", "millrace:")} ${place}${failure.message}`);
  if ("line" in failure) io.err(io.paintErr("dim", `  | ${failure.line}`));
  if (failure.hint !== undefined) io.err(`  ${failure.hint}`);
  return exitOf(failure);
}

/** Every problem of a pipeline, each at its line. */
export function reportProblems(io: Io, problems: readonly Problem[]): void {
  for (const { at, code, message, hint } of problems) {
    io.err(`${io.paintErr("bold", `${at}:`)} ${message} ${io.paintErr("dim", `[${code}]`)}`);
    if (hint !== "") io.err(`  ${hint}`);
  }
}

/** An exception that nobody expected. The stack is for those who mend Millrace. */
export function reportFault(io: Io, fault: unknown, verbose: boolean): Exit {
  const message = fault instanceof Error ? fault.message : String(fault);
  io.err(`${io.paintErr("red", "millrace:")} ${message.split("\n")[0] ?? "unknown"}`);
  io.err(
    `  This is a fault of Millrace. ${verbose ? "Report it with what follows:" : "Run it again with -v, and report it."}`,
  );
  if (verbose && fault instanceof Error) io.err(fault.stack ?? "");
  return "fatal";
}
