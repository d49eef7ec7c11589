/**
 * What a term shows at one moment: a value, a promise of one, or why there is none.
 *
 * `blocked` is not here on purpose: it is what an observer sees downstream of somebody else's failure
 * (see `seenFrom`), never something that is stored.
 */
export type Output<T> = Ok<T> | Active | Failed;

export interface Ok<T> {
  readonly state: "ok";
  readonly value: T;
}

/** On its way. `origin` is the key of the term that is being waited for. */
export interface Active {
  readonly state: "active";
  readonly phase: Phase;
  readonly origin: string;
}

export interface Failed {
  readonly state: "failed";
  readonly failure: Failure;
  readonly origin: string;
}

/** ready: may start, is queued · waiting: held by the confirm threshold · running: at work. */
export type Phase = "ready" | "waiting" | "running";

/**
 * transient: the outside may heal it, so it is tried again with back-off · failed: the user's, stays until an
 * input changes or somebody presses Rebuild · system: a fault of Millrace or of its own machine.
 */
export type FailureClass = "transient" | "failed" | "system";

/** Why there is no value. `code` is one of `engine/errors.ts`; `hint` says what to do. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly class: FailureClass;
  readonly hint?: string;
  /** When it is tried again, in milliseconds since 1970; only for transient failures. */
  readonly retryAtMs?: number;
}

/** An operation's answer. Operating errors are values; only mistakes of the programmer are thrown. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };

export const success = <T>(value: T): Result<T> => ({ ok: true, value });
export const failure = (error: Failure): Result<never> => ({ ok: false, error });

export const ok = <T>(value: T): Ok<T> => ({ state: "ok", value });
export const active = (phase: Phase, origin: string): Active => ({ state: "active", phase, origin });
export const failed = (error: Failure, origin: string): Failed => ({ state: "failed", failure: error, origin });

/** How a term is shown: its own state, or `blocked` when what it lacks is somebody else's. */
export type Shown = "ok" | Phase | "failed" | "blocked";

export function seenFrom(output: Output<unknown>, key: string): Shown {
  if (output.state === "ok") return "ok";
  if (!isOwn(output, key)) return "blocked";
  return output.state === "active" ? output.phase : "failed";
}

/** Whether it is to be told by the term `key`: it began there, or at a term without a box, which nobody would see. */
export const isOwn = ({ origin }: Active | Failed, key: string): boolean => origin === key || isBoxless(origin);

const BOXLESS = "#";
/** The key of a term that is not drawn. */
export const boxlessKey = (number: number): string => `${BOXLESS}${number}`;
const isBoxless = (key: string): boolean => key.startsWith(BOXLESS);

/** Whether two outputs say the same; values by `equal`, default identity. */
export const sameOutput =
  <T>(equal: (before: T, after: T) => boolean = Object.is) =>
  (before: Output<T>, after: Output<T>): boolean =>
    before.state === "ok" && after.state === "ok" ? equal(before.value, after.value) : identical(before, after);

/** The same with values by identity; one function for all terms, since each would keep its own. */
export function identical(before: Output<unknown>, after: Output<unknown>): boolean {
  if (before.state === "ok") return after.state === "ok" && Object.is(before.value, after.value);
  if (before.state === "active")
    return after.state === "active" && before.phase === after.phase && before.origin === after.origin;
  return after.state === "failed" && before.failure === after.failure && before.origin === after.origin;
}
