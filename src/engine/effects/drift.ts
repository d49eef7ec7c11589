import type { Want } from "./machine.ts";
import type { Observed } from "./target.ts";

/**
 * What a lane does about a target that somebody changed by hand.
 *
 * report: it is shown, and the next value that is wanted is deployed over it · hold: nothing more is sent, a newer value
 * neither, until a person says so · repair: what is wanted is deployed again, a few times.
 */
export const driftPolicies = ["report", "hold", "repair"] as const;
export type DriftPolicy = (typeof driftPolicies)[number];

/** What the decision about a target that was changed by hand rests on, beside the target itself. */
export interface DriftState {
  readonly policy: DriftPolicy;
  /** What it ran when it was last seen to run as wanted, or what a person adopted, and for which generation. */
  readonly settled: { readonly generation: number; readonly running: string } | undefined;
  /** What it may run though a newer value is wanted: what we left there, or tried to. */
  readonly ours: readonly (string | undefined)[];
  /** Why nothing is sent until a person says so. */
  readonly held: string | undefined;
  /** Whether it may be repaired again: now, after a while, or no more by itself. */
  readonly repair: "due" | "later" | "spent";
}

/** Nothing is remembered: only what the last intent of the lane left is known. */
export const NOTHING_REMEMBERED: DriftState = {
  policy: "report",
  settled: undefined,
  ours: [],
  held: undefined,
  repair: "due",
};

export type DriftAct =
  /** A person accepted what runs, in place of what is wanted. */
  | { readonly act: "rest"; readonly why: "adopted" }
  /** Somebody changed it: shown, and nothing is sent for now. `hold`: nor later, until a person says so. */
  | {
      readonly act: "drifted";
      readonly reaction: "report" | "hold" | "wait" | "later";
      readonly why: string;
      readonly runs: string;
      readonly wanted: string;
    }
  /** Want the same value again, as a new generation. */
  | { readonly act: "repair"; readonly runs: string; readonly wanted: string };

const BY_HAND = "it was changed by hand";
export const SPENT = "it was repaired again and again, and changed by hand each time";

/**
 * What to do about a target that does not run what it should; undefined when nobody changed it, or when that is no
 * reason not to deploy a newer value over it.
 *
 * @param verified Whether the wanted generation was deployed, as far as its intent tells.
 */
export function forDrift(drift: DriftState, verified: boolean, want: Want, seen: Observed): DriftAct | undefined {
  if (want.forced || seen.running === want.running) return undefined;
  const { settled, held } = drift;
  const said = { runs: seen.running ?? "nothing", wanted: want.running };
  if (held !== undefined) return { act: "drifted", reaction: "hold", why: held, ...said };
  const known = settled?.generation === want.generation;
  if (known && settled.running === seen.running) return { act: "rest", why: "adopted" };
  if (!known && !verified)
    return changedWhileHeld(drift, seen) ? { act: "drifted", reaction: "hold", why: BY_HAND, ...said } : undefined;
  if (drift.policy !== "repair") return { act: "drifted", reaction: drift.policy, why: BY_HAND, ...said };
  if (seen.motion === "moving") return { act: "drifted", reaction: "wait", why: `${BY_HAND} and still moves`, ...said };
  if (drift.repair === "due") return { act: "repair", ...said };
  const reaction = drift.repair === "spent" ? "hold" : "later";
  return { act: "drifted", reaction, why: reaction === "hold" ? SPENT : `${BY_HAND} again after a repair`, ...said };
}

/** Somebody changed it by hand, and its policy is that nothing newer is deployed over that. */
export const changedWhileHeld = ({ policy, settled, ours }: DriftState, { running }: Observed): boolean =>
  policy === "hold" && settled !== undefined && running !== settled.running && !ours.includes(running);
