import type { Exit } from "./exit.ts";
import type { FlagName, Given } from "./flags.ts";
import type { Io } from "./io.ts";

/** One command of `millrace`: a file in `commands/`, a line in the table of `program.ts`. */
export interface CommandSpec {
  readonly name: string;
  /** Positional arguments, as commander has them: `<id>`, `[owner/name]`. */
  readonly arguments: string;
  /** One sentence for the list of commands. */
  readonly summary: string;
  /** A few lines for its own help, with its special exits. */
  readonly details?: string;
  readonly flags: readonly FlagName[];
  run(call: Call): Promise<Exit>;
}

/** One call of a command. */
export interface Call {
  readonly io: Io;
  readonly given: Given;
  /** Positional arguments; those that were left out are missing at the end. */
  readonly args: readonly string[];
}
