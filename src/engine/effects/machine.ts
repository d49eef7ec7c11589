import type { IntentState } from "../store/store.ts";
import { changedWhileHeld, type DriftAct, type DriftState, forDrift, NOTHING_REMEMBERED } from "./drift.ts";
import type { Observed } from "./target.ts";

/** The newest wanted value of a lane. */
export interface Want {
  readonly digest: string;
  readonly generation: number;
  /** What `observe` reports as running when it runs. */
  readonly running: string;
  /** Rebuild was pressed: apply even if it runs, or was rolled back, already. */
  readonly forced: boolean;
}

export interface OpenIntent extends Omit<Want, "forced"> {
  readonly id: string;
  readonly state: "planned" | "applied" | "unknown";
  /** The target's version before the last write of this intent. */
  readonly seenVersion: string;
  /** Whether no earlier write of ours can still be in flight: new in this process, or fenced. */
  readonly clear: boolean;
}

/** How the last intent of the lane ended. */
export interface Ending {
  readonly id: string;
  readonly state: "verified" | "failed" | "rolled-back" | "superseded";
  readonly generation: number;
  readonly digest: string;
  readonly evidence: string;
}

/** All that is known of a lane at one moment. */
export interface Situation {
  readonly epoch: number;
  readonly owner: string;
  readonly want: Want | undefined;
  readonly intent: OpenIntent | undefined;
  readonly last: Ending | undefined;
  /** The target as observed since the last act; undefined when that has to be done again. */
  readonly seen: Observed | undefined;
  /** Whether the receipt on the target is of an intent of this state directory, or of one that a person adopted. */
  readonly recorded?: boolean;
  /** The generation whose job may act: threshold passed and head re-read. */
  readonly cleared: number | undefined;
  /** What is known of changes by hand. Default: nothing beside the last intent, and they are reported. */
  readonly drift?: DriftState;
}

/** What to do next. Everything that changes the target or an intent is one of these; nothing else is allowed to. */
export type Act =
  | { readonly act: "rest"; readonly why: "nothing wanted" | "as wanted" }
  /** Look at the target. */
  | { readonly act: "observe" }
  /** Somebody else moves it: look again soon. */
  | { readonly act: "wait"; readonly why: string }
  /** Not ours to touch until a person says so. */
  | { readonly act: "hold"; readonly why: string }
  /** The wanted value was tried and is not tried again by itself. */
  | { readonly act: "give-up"; readonly ending: Ending }
  /** What is wanted is there and does not run, though nothing moves it: shown, and left to whoever runs it. */
  | { readonly act: "down"; readonly why: string }
  /** There is nothing to move. */
  | { readonly act: "missing" }
  /** Somebody changed it by hand. */
  | DriftAct
  /** Wait for the threshold and re-read the head. */
  | { readonly act: "clear"; readonly generation: number }
  /** Commit a new intent. */
  | { readonly act: "plan" }
  | { readonly act: "apply" }
  | { readonly act: "fence" }
  /** The change is found on the target: commit `applied` with what was seen. */
  | { readonly act: "adopt" }
  | { readonly act: "settle" }
  | { readonly act: "end"; readonly state: Ending["state"]; readonly evidence: string };

/**
 * The whole protocol of a lane as one pure function: from what is known to the next act.
 *
 * One intent at a time. Before a write an intent is durable; after a crash the target is asked what became of it:
 *   it bears my receipt               adopt it, settle
 *   an older receipt, or none         fence (earlier writes of mine now fail), then apply if still newest, else superseded
 *   it rolled back since the intent   record that
 *   a newer or foreign receipt        hold until a person adopts what is there
 */
export function nextAct(situation: Situation): Act {
  const { seen, intent, want } = situation;
  if (intent === undefined && want === undefined) return { act: "rest", why: "nothing wanted" };
  if (seen === undefined) return { act: "observe" };
  const foreign = foreignTo(situation, seen);
  if (foreign !== undefined) return { act: "hold", why: foreign };
  if (intent !== undefined) return forIntent(situation, intent, seen);
  return want === undefined ? { act: "rest", why: "nothing wanted" } : forWant(situation, want, seen);
}

/** Why the receipt on the target is not older than what we know; undefined when it is ours or older. */
function foreignTo(situation: Situation, { receipt }: Observed): string | undefined {
  const { epoch, owner, want, intent, last, recorded } = situation;
  if (receipt === undefined || recorded === true) return undefined;
  if (receipt.intent === intent?.id || receipt.intent === last?.id) return undefined;
  if (receipt.owner !== owner) return `it belongs to flavour ${receipt.owner}, this one is ${owner}`;
  if (receipt.epoch > epoch) return `its receipt is of epoch ${receipt.epoch}, this state directory is at ${epoch}`;
  const newest = Math.max(want?.generation ?? 0, intent?.generation ?? 0, last?.generation ?? 0);
  if (receipt.generation <= newest) return undefined;
  return `its receipt is of generation ${receipt.generation}, this state directory knows ${newest}`;
}

function forIntent(situation: Situation, intent: OpenIntent, seen: Observed): Act {
  if (bears(seen, intent)) return forReceipt(intent, seen);
  // With its ref the target itself tells what became of the change: undone, or overwritten, and why.
  if (intent.state === "applied") return { act: "settle" };
  if (!intent.clear && seen.motion === "moving") return { act: "wait", why: "the target is still moving" };
  if (!intent.clear && seen.motion === "rolled-back" && seen.version !== intent.seenVersion)
    return { act: "end", state: "rolled-back", evidence: "the target undid the update" };
  if (!seen.exists) return { act: "end", state: "failed", evidence: "the target does not exist any more" };
  return forUnsent(situation, intent, seen);
}

/**
 * A target that bears no receipt shows by what it runs that the write is in: unless none can be, and Rebuild wants what
 * runs already to be applied.
 */
const bears = (seen: Observed, intent: OpenIntent): boolean =>
  seen.receipt === undefined ? !intent.clear && seen.running === intent.running : seen.receipt.intent === intent.id;

/** My write is in: it only has to be followed to its end. */
function forReceipt(intent: OpenIntent, seen: Observed): Act {
  if (seen.running !== intent.running)
    return {
      act: "end",
      state: "failed",
      evidence: `changed by hand after the update: it runs ${seen.running ?? "nothing"}`,
    };
  return intent.state === "applied" ? { act: "settle" } : { act: "adopt" };
}

/** My write is not in; unless the intent is clear, it may still be on its way. */
function forUnsent({ want, cleared, drift = NOTHING_REMEMBERED }: Situation, intent: OpenIntent, seen: Observed): Act {
  if (intent.clear) {
    if (changedWhileHeld(drift, seen))
      return { act: "end", state: "superseded", evidence: "it was changed by hand before anything was sent" };
    if (want?.generation === intent.generation) return { act: "apply" };
    return { act: "end", state: "superseded", evidence: "it is not wanted any more" };
  }
  if (want === undefined) return { act: "wait", why: "whether it is still wanted is not known yet" };
  if (cleared !== want.generation) return { act: "clear", generation: want.generation };
  return { act: "fence" };
}

function forWant({ last, cleared, drift = NOTHING_REMEMBERED }: Situation, want: Want, seen: Observed): Act {
  if (!seen.exists) return { act: "missing" };
  const runs = seen.running === want.running;
  // An update that has come to a halt runs the image by name only: on some tasks, or on none.
  const still = seen.motion !== "moving" && seen.motion !== "failed";
  if (runs && still && !want.forced && seen.down === undefined) return { act: "rest", why: "as wanted" };
  const tried = last !== undefined && last.generation === want.generation && !want.forced ? last : undefined;
  const drifted = forDrift(drift, tried?.state === "verified", want, seen);
  if (drifted?.act === "rest" && seen.down !== undefined) return { act: "down", why: seen.down };
  if (drifted !== undefined) return drifted;
  if (seen.motion === "moving") return { act: "wait", why: "somebody else moves it" };
  if (tried?.state === "failed" || tried?.state === "rolled-back") return { act: "give-up", ending: tried };
  if (runs && still && !want.forced && seen.down !== undefined) return { act: "down", why: seen.down };
  if (cleared !== want.generation) return { act: "clear", generation: want.generation };
  return { act: "plan" };
}

/** Whether an intent in this state still has to be brought to an end. */
export const isOpen = (state: IntentState): state is OpenIntent["state"] =>
  state === "planned" || state === "applied" || state === "unknown";
