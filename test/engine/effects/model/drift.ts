import type { DriftState } from "../../../../src/engine/effects/drift.ts";
import { type Known, wishAnew } from "../../../../src/engine/effects/wants.ts";
import type { Bounds, Drift, Row, State } from "./state.ts";

// What `DriftRecord` keeps of changes by hand, without its times: that enough of it has passed is something that happens.

const REPAIRS_MAX = 3;
const FRESH = { held: undefined, repairs: 0 };

export function driftOf({ drift: policy = "report" }: Bounds, { noted, row, rested }: State): DriftState {
  const repair = noted.repairs >= REPAIRS_MAX ? "spent" : rested || noted.repairs === 0 ? "due" : "later";
  const ours = [...(row === undefined ? [] : [row.before]), ...noted.left];
  return { policy, settled: noted.settled, held: noted.held, ours, repair };
}

/** The newest number that is known. */
export function newestOf({ row, last, noted: { settled } }: State): Known | undefined {
  const intent = row ?? last;
  return (settled?.generation ?? 0) > (intent?.generation ?? 0) ? settled : intent;
}

/** It runs what is wanted: noted, and durable with the next commit. */
export function settledAs(state: State): Drift {
  const { noted, wishes, seen } = state;
  if (wishes.current === undefined) return noted;
  const { generation, digest } = wishes.current;
  const settled = { generation, digest, running: seen?.running ?? "" };
  if (noted.held === undefined && textOf({ ...noted, settled }) === textOf(noted)) return noted;
  return { settled, held: undefined, repairs: noted.repairs, left: [] };
}

/** What is committed with the ending of an intent. */
export function endedAs(noted: Drift, verified: boolean, { generation, digest, running, before }: Row): Drift {
  if (!verified) return { ...noted, left: [before, running] };
  return { settled: { generation, digest, running }, held: undefined, repairs: noted.repairs, left: [] };
}

export const heldFor = (why: string, noted: Drift): Drift =>
  noted.held === undefined ? { ...noted, held: why } : noted;

/** Equal for two that say the same. */
export const textOf = ({ settled, held, repairs, left }: Drift): string =>
  `${settled?.generation},${settled?.digest},${settled?.running},${held},${repairs},${left.join("+")}`;

/** What is committed with a new intent. */
export function begun({ noted, wishes: { current } }: State): Drift {
  if (current?.forced === true) return { ...noted, ...FRESH };
  return current?.repair === true ? { ...noted, held: undefined, repairs: noted.repairs + 1 } : noted;
}

export const repaired = (state: State): State =>
  state.wishes.current === undefined
    ? state
    : { ...state, wishes: wishAnew(state.wishes, state.wishes.current, [], newestOf(state), "repair") };

/** A person accepts what runs in place of what is wanted. */
export function acceptedAs({ generation, digest }: Known, running: string): Drift {
  return { ...FRESH, settled: { generation, digest, running }, left: [] };
}
