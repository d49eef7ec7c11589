// A lane, its database, its target and all that may happen to them, as one value: a state is never changed, only followed
// by others. What the process decides is production's own, `nextAct` and the numbering of what is wanted.

import type { DriftPolicy } from "../../../../src/engine/effects/drift.ts";
import type { Ending, OpenIntent } from "../../../../src/engine/effects/machine.ts";
import type { Observed, Stamp } from "../../../../src/engine/effects/target.ts";
import { type Known, NO_WISHES, type Wishes, wish } from "../../../../src/engine/effects/wants.ts";

/** What is taken out, to see that the model notices. */
export type Planted = "no fence" | "no compare-and-set" | "no intent record" | "exit status";

/** What may happen in the schedules of one history, and how often at most. */
export interface Bounds {
  /**
   * Values that the head has one after the other. The target undoes `A!`, stops half-way with `A~`, and refuses `A?`.
   */
  readonly heads: readonly string[];
  /** The process dies, between any two things that it does. */
  readonly crashes?: number;
  /** An answer is lost while the process lives; what it answers may have landed, or lands later, or never. */
  readonly lost?: number;
  /** Somebody changes what runs. */
  readonly hands?: number;
  /** Somebody has the target take back the last change, and its receipt with it. */
  readonly undos?: number;
  /** The target cannot be asked how the change goes on. */
  readonly outages?: number;
  /** Rebuild is pressed. */
  readonly presses?: number;
  /** The job is cancelled by a person. */
  readonly cancels?: number;
  /** A person accepts what is on a target that is held. */
  readonly adopts?: number;
  /** The process dies, and the database is that of the beginning afterwards: an old backup. */
  readonly restores?: number;
  /** Whether the process hears late of a head that has moved, and takes time to build: otherwise at once. */
  readonly builds?: boolean;
  /** What the target bears at first: nothing of ours, our last receipt, or that of another flavour. Default: none. */
  readonly bears?: "no" | "our" | "another's";
  /** `none`: a target that compares nothing and keeps no receipts, as a tag of a registry. Default: `cas`. */
  readonly guard?: "cas" | "none";
  /** What is done about a change by hand. Default: report. */
  readonly drift?: DriftPolicy;
  readonly planted?: Planted;
}

/** A write on its way. It may land now, later or never. */
export interface Request {
  readonly verb: "apply" | "fence";
  readonly version: number;
  readonly value: string;
  readonly stamp: Stamp;
  /** The place of its value among the heads. */
  readonly wished: number;
  /** The database that its numbers are of: another one after an old backup. */
  readonly lineage: number;
}

/** The row of an open intent. */
export interface Row extends Omit<OpenIntent, "clear"> {
  readonly wished: number;
  /** What ran when it was planned. */
  readonly before: string | undefined;
}

/** What is remembered of changes by hand, as `DriftRecord` does. */
export interface Drift {
  readonly settled: (Known & { readonly running: string }) | undefined;
  readonly held: string | undefined;
  readonly repairs: number;
  /** What the last deploy that did not succeed found there, and what it was to put there. */
  readonly left: readonly (string | undefined)[];
}

export interface State {
  // the target
  readonly running: string;
  readonly version: number;
  readonly motion: Observed["motion"];
  readonly receipt: Stamp | undefined;
  /** What it goes back to. */
  readonly before: { readonly running: string; readonly receipt: Stamp | undefined };
  // on the way to it
  readonly late: readonly Request[];
  /** The write whose answer the process waits for. */
  readonly sent: { readonly request: Request; readonly answer?: "applied" | "conflict" | "refused" } | undefined;
  // the forge
  readonly head: number;
  // the database
  readonly row: Row | undefined;
  readonly last: Ending | undefined;
  readonly drift: Drift;
  /** The newest receipt that a person accepted. */
  readonly adopted: string | undefined;
  readonly epoch: number;
  // the process
  /** The place of the head that it knows; −1 before it has read any. */
  readonly known: number;
  readonly wishes: Wishes<string>;
  readonly clear: boolean;
  readonly cleared: number | undefined;
  readonly seen: Observed | undefined;
  /** What it remembers of changes by hand: newer than what is on the disk until something else is committed. */
  readonly noted: Drift;
  /** Enough time has passed for another repair. */
  readonly rested: boolean;
  /** What it shows while there is nothing to do for it. */
  readonly rests: Rest | undefined;
  // what may still happen
  readonly left: Left;
  // what is counted
  readonly intents: number;
  readonly lineage: number;
  readonly landed: readonly string[];
  readonly newestLanded: number;
  readonly repeated: boolean;
  readonly stale: boolean;
  readonly untrue: boolean;
}

export type Rest =
  | "as wanted"
  | "adopted"
  | "nothing wanted"
  | "give-up"
  | "down"
  | "hold"
  | "report"
  | "wait"
  | "later";

export type Left = Record<
  "crashes" | "lost" | "hands" | "undos" | "outages" | "presses" | "cancels" | "adopts" | "restores",
  number
>;

export const OWNER = "model";
/** What runs at first, and what somebody puts there by hand. */
export const OLD = "old";
export const BY_HAND = "by hand";

export const kind = {
  wanted: {
    encode: (value: string): string => value,
    decode: (json: unknown) => (typeof json === "string" ? json : undefined),
  },
  running: (value: string): string => value,
};

const NO_DRIFT: Drift = { settled: undefined, held: undefined, repairs: 0, left: [] };
const before: Stamp = { intent: "before", generation: 1, epoch: 1, digest: "before", owner: OWNER };
const ended: Ending = { id: "before", state: "verified", generation: 1, digest: "before", evidence: "" };

/** What a process holds in its memory for one intent. */
export const NOTHING_HELD = { clear: false, cleared: undefined, seen: undefined } as const;
const NOTHING_COUNTED = {
  intents: 0,
  lineage: 0,
  landed: [],
  newestLanded: -1,
  repeated: false,
  stale: false,
  untrue: false,
} as const;

/** The process has just begun, and knows the first head. */
export function firstState(bounds: Bounds): State {
  const { bears = "no", crashes = 0, lost = 0, hands = 0, undos = 0, outages = 0, presses = 0 } = bounds;
  const { cancels = 0, adopts = 0, restores = 0 } = bounds;
  const receipt = bears === "no" ? undefined : { ...before, owner: bears === "our" ? OWNER : "another" };
  const last = bears === "our" ? ended : undefined;
  return {
    running: OLD,
    version: 1,
    motion: "steady",
    receipt,
    before: { running: OLD, receipt },
    late: [],
    sent: undefined,
    head: 0,
    row: undefined,
    last,
    drift: NO_DRIFT,
    adopted: undefined,
    epoch: 1,
    known: 0,
    wishes: wish(NO_WISHES, kind, bounds.heads[0], [], last),
    ...NOTHING_HELD,
    noted: NO_DRIFT,
    rested: true,
    rests: undefined,
    left: { crashes, lost, hands, undos, outages, presses, cancels, adopts, restores },
    ...NOTHING_COUNTED,
  };
}
