import type { ErrorCode } from "../engine/errors.ts";
import type { Failure } from "../term/output.ts";

/** Every exit code of every command. `doc/operating.md` lists them; a test holds the two together. */
export const exits = {
  done: { code: 0, means: "done, or nothing to do" },
  failed: { code: 1, means: "it failed: the message says why" },
  changes: { code: 2, means: "plan: something would change" },
  usage: { code: 64, means: "the command line is wrong" },
  pipeline: { code: 65, means: "pipeline.ts is missing or invalid" },
  unreachable: { code: 69, means: "a server, engine or registry is out of reach" },
  fatal: { code: 70, means: "I/O error, damaged database, or a fault of Millrace" },
  occupied: { code: 73, means: "the state directory or the port cannot be taken" },
  forbidden: { code: 77, means: "no token, or one that the server refuses" },
} as const;

export type Exit = keyof typeof exits;

/** Codes whose exit does not follow from their class. */
const special: Partial<Record<ErrorCode, Exit>> = {
  USAGE: "usage",
  NO_PIPELINE: "pipeline",
  PIPELINE_SYNTAX: "pipeline",
  PIPELINE_THREW: "pipeline",
  NO_DEPLOYER: "pipeline",
  PIPELINE_INVALID: "pipeline",
  UNKNOWN_FLAVOUR: "usage",
  UNKNOWN_REPO: "usage",
  NO_SERVER: "unreachable",
  NO_TOKEN: "forbidden",
  LOGIN_NEEDED: "forbidden",
  LOGIN_REFUSED: "forbidden",
  FORBIDDEN: "forbidden",
  ROLE_NEEDED: "forbidden",
  STATE_IN_USE: "occupied",
  STATE_NOT_WRITABLE: "occupied",
  STATE_NEWER: "occupied",
  STORE_FULL: "occupied",
  PORT_IN_USE: "occupied",
  CANNOT_LISTEN: "occupied",
};

const byClass = { failed: "failed", transient: "unreachable", system: "fatal" } as const;

/** The exit that a failure leads to: its own, or that of its class. */
export function exitOf(failure: Failure): Exit {
  const own = Object.entries(special).find(([code]) => code === failure.code)?.[1];
  return own ?? byClass[failure.class];
}
