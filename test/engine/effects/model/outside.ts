import { nextAct } from "../../../../src/engine/effects/machine.ts";
import { NO_WISHES, wishAbove, wishAnew } from "../../../../src/engine/effects/wants.ts";
import { acceptedAs, newestOf, textOf } from "./drift.ts";
import { built, heard, situationOf, unanswered } from "./process.ts";
import { type Bounds, BY_HAND, firstState, type Left, NOTHING_HELD, type State } from "./state.ts";
import { changedByHand, finish, land, undoneByHand } from "./target.ts";

/** What must have happened before a schedule is over. */
export function due(bounds: Bounds, state: State): State[] {
  const next: State[] = [];
  const { late, sent, wishes } = state;
  if (state.head < bounds.heads.length - 1) next.push(headMoves(bounds, state));
  if (state.known >= 0 && state.known !== state.head) next.push(heard(bounds, state));
  if (wishes.current === undefined) next.push(built(bounds, state));
  if (state.motion === "moving") next.push(finish(state));
  if (!state.rested) next.push({ ...state, rested: true });
  for (const request of late)
    next.push(land(bounds, { ...state, late: late.filter((one) => one !== request) }, request).state);
  if (state.rests !== undefined && late.length > 0) next.push({ ...state, late: late.slice(1) }); // it is lost for good
  if (sent !== undefined && sent.answer === undefined) {
    const landed = land(bounds, state, sent.request);
    next.push({ ...landed.state, sent: { ...sent, answer: landed.answer } });
  }
  return next;
}

/** What may happen, or not. */
export function free(bounds: Bounds, state: State): State[] {
  const { left, sent } = state;
  const next: State[] = [];
  if (left.crashes > 0) next.push(...crashed(bounds, spend(state, "crashes")));
  if (left.restores > 0) next.push(restored(bounds, spend(state, "restores")));
  if (left.lost > 0 && sent !== undefined) next.push(unanswered(state));
  if (left.hands > 0 && state.running !== BY_HAND) next.push(changedByHand(spend(state, "hands")));
  if (left.undos > 0 && state.receipt !== state.before.receipt) next.push(undoneByHand(spend(state, "undos")));
  if (left.presses > 0) next.push(...pressed(bounds, state));
  if (left.adopts > 0) next.push(...adopted(bounds, state));
  return next;
}

const spend = (state: State, what: keyof Left): State => ({
  ...state,
  left: { ...state.left, [what]: state.left[what] - 1 },
});

function headMoves(bounds: Bounds, state: State): State {
  const moved = { ...state, head: state.head + 1 };
  return bounds.builds === true ? moved : heard(bounds, moved);
}

/** The process dies; what was noted only may be on the disk, or not. */
function crashed(bounds: Bounds, state: State): readonly State[] {
  const { drift, noted } = state;
  const dead = dies(bounds, state);
  const ways = textOf(drift) === textOf(noted) ? [dead] : [dead, { ...dead, drift: noted, noted }];
  return bounds.builds === true ? ways : ways.map((way) => built(bounds, way));
}

/** The next process begins. What the dead one had sent goes on. */
function dies(bounds: Bounds, state: State): State {
  const { sent, late, drift } = state;
  return {
    ...state,
    late: sent !== undefined && sent.answer === undefined ? [...late, sent.request] : late,
    row: bounds.planted === "no intent record" ? undefined : state.row,
    epoch: state.epoch + 1,
    wishes: NO_WISHES,
    noted: drift,
    known: -1,
    sent: undefined,
    ...NOTHING_HELD,
  };
}

/** The process dies, and the database is that of the beginning. */
function restored(bounds: Bounds, state: State): State {
  const { row, last, adopted, drift, noted, epoch } = firstState(bounds);
  const lineage = state.lineage + 1;
  const back: State = { ...dies(bounds, state), row, last, adopted, drift, noted, epoch: epoch + 1, lineage };
  return bounds.builds === true ? back : built(bounds, back);
}

/** Rebuild: refused while a job of the lane runs. */
function pressed(bounds: Bounds, state: State): readonly State[] {
  const { wishes, row, cleared } = state;
  const { current } = wishes;
  if (current === undefined || row !== undefined || cleared !== undefined) return [];
  if (nextAct(situationOf(bounds, state)).act === "hold") return [];
  return [spend({ ...state, wishes: wishAnew(wishes, current, [], newestOf(state)) }, "presses")];
}

/** A person accepts what was last seen on the target, as `adoptSeen` does. */
function adopted(bounds: Bounds, state: State): readonly State[] {
  const { seen, wishes } = state;
  if (seen === undefined) return [];
  const { act } = nextAct(situationOf(bounds, state));
  if (act === "hold") return seen.receipt === undefined ? [] : [spend(withReceipt(state, seen.receipt), "adopts")];
  if (act !== "drifted" && act !== "repair") return [];
  if (wishes.current === undefined || seen.running === undefined) return [];
  const drift = acceptedAs(wishes.current, seen.running);
  return [spend({ ...state, drift, noted: drift }, "adopts")];
}

function withReceipt(state: State, receipt: NonNullable<State["receipt"]>): State {
  const { intent: id, generation, digest, epoch } = receipt;
  const running = state.seen?.running ?? "";
  const drift = acceptedAs(receipt, running);
  return {
    ...state,
    row: undefined,
    clear: false,
    adopted: id,
    last: { id, state: "verified", generation, digest, evidence: "" },
    epoch: epoch < state.epoch ? state.epoch : epoch + 1,
    wishes: wishAbove(state.wishes, generation),
    drift,
    noted: drift,
  };
}
