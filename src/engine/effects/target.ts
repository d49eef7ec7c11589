import type { Failure, Result } from "../../term/output.ts";
import type { Job } from "../job.ts";
import type { Codec, Json } from "../json.ts";
import type { Level } from "../level.ts";

/** The one thing in the world that a target moves, as a permanent name: `swarm/HOST/SERVICE`. */
export type Lane = string;

/** What travels with a change and is read back as its receipt. */
export interface Stamp {
  readonly intent: string;
  /** Grows by one with every newly wanted value of a lane. */
  readonly generation: number;
  /** Grows by one with every start of a Millrace on this state directory. */
  readonly epoch: number;
  /** Digest of the wanted value. */
  readonly digest: string;
  /** The flavour that owns the target. */
  readonly owner: string;
}

/** What `observe` reports of any kind of target. */
export interface Observed {
  readonly exists: boolean;
  /** What runs now, readable: an image digest, a manifest digest. */
  readonly running?: string;
  /** The stamp found on the target; absent when we never touched it. */
  readonly receipt?: Stamp;
  /** Opaque: what compare-and-set compares. */
  readonly version: string;
  readonly motion: "steady" | "moving" | "rolled-back" | "failed";
  /**
   * Why what is there does not run though nothing moves it, readable; absent when it runs. It may be starting: the engine
   * gives it time. The same text as long as the reason is the same.
   */
  readonly down?: string;
  /** What `apply` would have returned as its ref had it made what is seen: lets a new process settle it. */
  readonly ref: Json;
}

/** One line of a plan: field, what is there, what would be there. */
export interface Change {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** The wanted value is not known before something is built. */
export const UNKNOWN_UNTIL_BUILT = "unknown until built";

/**
 * applied: the change is in, `ref` identifies it · conflict: somebody else wrote in between, look again ·
 * unknown: the answer was lost, look again · refused: it cannot work, and why.
 */
export type Applied<Ref> =
  | { readonly state: "applied"; readonly ref: Ref }
  | { readonly state: "conflict"; readonly detail: string }
  | { readonly state: "unknown"; readonly detail: string }
  | { readonly state: "refused"; readonly error: Failure };

/** How a change ended, by the target's own state. */
export type Settled =
  | { readonly state: "healthy"; readonly evidence: string }
  | { readonly state: "rolled-back"; readonly evidence: string }
  | { readonly state: "failed"; readonly evidence: string }
  | { readonly state: "unreachable"; readonly error: Failure };

/**
 * A kind of thing in the world that is moved. Made by a function of its ports (hosts, registry, clock).
 *
 * The engine calls the verbs in the order observe → apply → settle and owns everything around them: intents,
 * generations, recovery, retries, logs. A kind never stores anything and never decides whether to act.
 */
export interface TargetKind<Spec, Wanted, Seen extends Observed, Ref> {
  /** Permanent: it is stored. */
  readonly kind: string;
  readonly level: Level;
  /** cas: compare-and-set · floor: a generation floor kept on the host · none: neither, and its page says so. */
  readonly guard: "cas" | "floor" | "none";
  readonly wanted: Codec<Wanted>;
  readonly ref: Codec<Ref>;
  lane(spec: Spec): Lane;
  /** Readable: "swarm service shop_web on here". */
  describe(spec: Spec): string;
  /** What `running` of `observe` is when the wanted value runs; equal means there is nothing to do. */
  running(wanted: Wanted): string;
  observe(spec: Spec, signal: AbortSignal): Promise<Result<Seen>>;
  /** Pure: why there is nothing to move, with names that are alike. Default: `NO_TARGET`. */
  missing?(spec: Spec, seen: Seen): Failure;
  /** Pure: what `apply` would change. Empty when nothing. */
  plan(spec: Spec, seen: Seen, wanted: Wanted | typeof UNKNOWN_UNTIL_BUILT): readonly Change[];
  apply(spec: Spec, seen: Seen, wanted: Wanted, stamp: Stamp, job: Job): Promise<Applied<Ref>>;
  /**
   * Makes any earlier write that is still in flight fail; changes nothing that runs. As after any write, an earlier
   * roll-back is not reported as motion any more.
   */
  fence(spec: Spec, seen: Seen, stamp: Stamp, job: Job): Promise<Applied<Ref>>;
  /** Waits until the target itself says how the change ended. Never believes an exit status. */
  settle(spec: Spec, ref: Ref, job: Job): Promise<Settled>;
  /** Removes the thing, only when it bears our receipt. */
  remove?(spec: Spec, seen: Seen, stamp: Stamp, job: Job): Promise<Applied<Ref>>;
}
