import type { Failure } from "../term/output.ts";

/** Somebody at a forge. The number is who they are; the login is what they are called at the moment. */
export interface Person {
  readonly id: number;
  readonly login: string;
}

export const isPerson = (value: unknown): value is Person =>
  typeof value === "object" &&
  value !== null &&
  "id" in value &&
  Number.isSafeInteger(value.id) &&
  "login" in value &&
  typeof value.login === "string";

export interface BranchRef {
  readonly commit: string;
  /** When it was committed, milliseconds since 1970; read only when staleness is asked for. */
  readonly committedMs?: number;
}

/** An open pull request. Its title, labels and text are never read into it: they would become part of keys. */
export interface PullRef {
  readonly number: number;
  readonly commit: string;
  /** The branch that it is to be merged into. */
  readonly base: string;
  /** The branch that it comes from. */
  readonly branch: string;
  readonly author: Person;
  /** Undefined: a branch of the repository itself. "gone": the fork vanished. */
  readonly fork?: { readonly id: number; readonly name: string } | "gone";
}

/** All branches and open pull requests of a repository at one moment. */
export interface Refs {
  /** The repository itself, whatever it is called; 0 where the source has no such number (plain git). */
  readonly id: number;
  /** `owner/name`, as the forge writes it. */
  readonly name: string;
  readonly defaultBranch: string;
  readonly branches: ReadonlyMap<string, BranchRef>;
  readonly pulls: ReadonlyMap<number, PullRef>;
  /** Why a part of it other than the branches is of an earlier moment; not stored. Default: all of it is of now. */
  readonly outdated?: Failure;
  /** Why the pull requests are of an earlier moment; not stored. Default: they are of now. */
  readonly pullsOutdated?: Failure;
}
