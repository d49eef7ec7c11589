import { exits } from "./exit.ts";
import type { Io } from "./io.ts";
import { reportFault } from "./report.ts";

/**
 * Ends the process at the first error that nobody caught, in words. To go on would be to act on a state that nobody
 * understands; to end is safe at any instant.
 */
export function exitOnFault(process: NodeJS.Process, io: Io, verbose: boolean): void {
  const end = (fault: unknown): void => {
    process.exit(exits[reportFault(io, fault, verbose)].code);
  };
  process.once("uncaughtException", end);
  process.once("unhandledRejection", end);
}

/** Whether the stack of a fault is asked for; known before the command line is read, so that reading it may fail. */
export const wantsStack = (argv: readonly string[]): boolean => argv.includes("-v") || argv.includes("--verbose");
