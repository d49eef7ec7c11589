import { type Ending, nextAct, type Situation } from "../../../../src/engine/effects/machine.ts";
import { wish, wishTried } from "../../../../src/engine/effects/wants.ts";
import { begun, driftOf, endedAs, heldFor, newestOf, repaired, settledAs } from "./drift.ts";
import { type Bounds, kind, NOTHING_HELD, OWNER, type Request, type Rest, type Row, type State } from "./state.ts";
import { isDown, observed } from "./target.ts";

/** What the process may do next: nothing while it waits for something outside, else one of these. */
export function acts(bounds: Bounds, state: State): readonly State[] {
  if (state.rests !== undefined) return looksAgain(bounds, state);
  if (state.sent !== undefined) return state.sent.answer === undefined ? [] : [answered(state)];
  const act = nextAct(situationOf(bounds, state));
  switch (act.act) {
    case "observe":
      return [{ ...state, seen: observed(bounds, state) }];
    case "clear":
      return cleared(bounds, state, act.generation);
    case "plan":
      return [planned(state)];
    case "apply":
    case "fence":
      return [written(bounds, state, act.act)];
    case "adopt":
      return state.row === undefined ? [] : [committed({ ...state, row: { ...state.row, state: "applied" } })];
    case "settle":
      return settled(bounds, state);
    case "end":
      return [ended(state, act.state)];
    case "rest":
      return [{ ...state, rests: act.why, noted: act.why === "as wanted" ? settledAs(state) : state.noted }];
    case "down":
      return [{ ...state, rests: act.act, noted: bearsWanted(state) ? settledAs(state) : state.noted }];
    case "give-up":
    case "hold":
      return [{ ...state, rests: act.act }];
    case "drifted":
      return act.reaction === "wait" ? waits(state) : [drifted(state, act.reaction, act.why)];
    case "repair":
      return [repaired(state)];
    case "wait":
      return waits(state);
    case "missing":
      throw new Error("the target of the model is always there");
  }
}

export const situationOf = (bounds: Bounds, state: State): Situation => ({
  epoch: state.epoch,
  owner: OWNER,
  want: state.wishes.current,
  intent: state.row && { ...state.row, clear: state.clear },
  last: state.last,
  seen: state.seen,
  cleared: state.cleared,
  recorded: state.seen?.receipt !== undefined && state.seen.receipt.intent === state.adopted,
  drift: driftOf(bounds, state),
});

const bearsWanted = ({ seen, wishes }: State): boolean => seen?.running === wishes.current?.running;

const drifted = (state: State, rests: Rest, why: string): State => ({
  ...state,
  rests,
  noted: rests === "hold" ? heldFor(why, state.noted) : state.noted,
});

/** Every commit takes with it what was noted before. */
const committed = (state: State): State => (state.drift === state.noted ? state : { ...state, drift: state.noted });

/** At rest it looks again from time to time: that matters when the target has changed since the last look. */
const looksAgain = (bounds: Bounds, state: State): readonly State[] =>
  state.rests === "nothing wanted" || state.seen?.version === observed(bounds, state).version
    ? []
    : [{ ...state, rests: undefined, seen: undefined }];

/** It looks again after a while: that changes nothing as long as what it saw still holds. */
const waits = (state: State): readonly State[] =>
  state.seen?.motion === "moving" && state.motion !== "moving" ? [{ ...state, seen: undefined }] : [];

/** The head is read again, and perhaps the job is cancelled before. */
function cleared(bounds: Bounds, state: State, generation: number): readonly State[] {
  const read = state.known === state.head ? state : heard(bounds, state);
  const now = read.wishes.current?.generation === generation ? generation : undefined;
  const ways: State[] = [{ ...read, seen: undefined, cleared: now }];
  const { left } = state;
  if (left.cancels > 0) ways.push(cancelled({ ...state, left: { ...left, cancels: left.cancels - 1 } }));
  return ways;
}

/** The process hears of the head: it builds, and does not know what is wanted before that is done. */
export const heard = (bounds: Bounds, state: State): State =>
  bounds.builds === true
    ? { ...state, known: state.head, wishes: wish(state.wishes, kind, undefined, [], undefined) }
    : built(bounds, state);

/** What is built of the head is wanted. */
export const built = (bounds: Bounds, state: State): State => ({
  ...state,
  known: state.head,
  wishes: wish(state.wishes, kind, bounds.heads[state.head], [], newestOf(state)),
});

function cancelled(state: State): State {
  if (state.row !== undefined || state.wishes.current === undefined)
    return { ...state, cleared: undefined, seen: undefined };
  return { ...ended(withRow(state), "failed"), noted: state.noted, drift: state.noted }; // nothing was sent
}

function planned(state: State): State {
  const noted = begun(state);
  return committed({ ...withRow(state), clear: true, noted, rested: state.rested && noted === state.noted });
}

function withRow(state: State): State {
  const { wishes, seen, known: wished } = state;
  if (wishes.current === undefined) return state;
  const { digest, generation, running } = wishes.current;
  const intents = state.intents + 1;
  const of = { id: `i${intents}`, digest, generation, running, wished };
  return {
    ...state,
    intents,
    row: { ...of, state: "planned", seenVersion: seen?.version ?? "", before: seen?.running },
  };
}

/** Durable first, then sent. */
function written(bounds: Bounds, state: State, verb: "apply" | "fence"): State {
  const { row, seen, epoch, wishes, lineage } = state;
  if (row === undefined || seen === undefined) return state;
  if (seen.version !== row.seenVersion) return committed({ ...state, row: { ...row, seenVersion: seen.version } });
  if (verb === "fence" && bounds.planted === "no fence") return { ...state, clear: true, seen: undefined };
  const { id: intent, generation, digest, running: value, wished } = row;
  const version = bounds.guard === "none" ? state.version : Number(seen.version);
  const stamp = { intent, generation, epoch, digest, owner: OWNER };
  const request: Request = { verb, version, value, wished, stamp, lineage };
  const isNewest = verb === "fence" || wishes.current?.generation === generation;
  return { ...state, sent: { request }, seen: undefined, stale: state.stale || !isNewest };
}

/** The answer is there. */
function answered(state: State): State {
  const { row, sent } = state;
  const rest: State = { ...state, sent: undefined };
  if (row === undefined || sent === undefined || sent.answer === "conflict") return rest;
  if (sent.answer === "refused") return ended(rest, "failed");
  if (sent.request.verb === "fence") return { ...rest, clear: true };
  return committed({ ...rest, row: { ...row, state: "applied" } });
}

/** The answer is given up. */
export function unanswered(state: State): State {
  const { row, sent, left, late } = state;
  if (row === undefined || sent === undefined) return state;
  return committed({
    ...state,
    sent: undefined,
    late: sent.answer === undefined ? [...late, sent.request] : late,
    left: { ...left, lost: left.lost - 1 },
    clear: false,
    cleared: undefined,
    row: { ...row, state: "unknown" },
  });
}

function settled(bounds: Bounds, state: State): readonly State[] {
  if (bounds.planted === "exit status") return [ended(state, "verified")];
  if (state.motion === "moving") return [];
  const { left } = state;
  const ways = [ended(state, judged(state))];
  if (left.outages > 0) ways.push({ ...state, seen: undefined, left: { ...left, outages: left.outages - 1 } });
  return ways;
}

/** The target itself tells how the change of the open intent ended. */
function judged({ row, running, motion, receipt }: State): Ending["state"] {
  if (receipt !== undefined && receipt.intent === row?.id && motion === "failed") return "failed";
  if (running === row?.running) return isDown(running) ? "failed" : "verified";
  return motion === "rolled-back" ? "rolled-back" : "failed";
}

function ended(state: State, ending: Ending["state"]): State {
  const { row } = state;
  if (row === undefined) return state;
  const { id, generation, digest } = row;
  return committed({
    ...state,
    row: undefined,
    last: { id, state: ending, generation, digest, evidence: "" },
    noted: endedAs(state.noted, ending === "verified", row),
    wishes: wishTried(state.wishes, generation),
    ...NOTHING_HELD,
    untrue: state.untrue || !isTrue(state, row, ending),
  });
}

/** Whether what is recorded is so. */
function isTrue({ running, motion, landed, lineage }: State, row: Row, ending: Ending["state"]): boolean {
  switch (ending) {
    case "verified":
      return running === row.running && motion !== "moving" && !isDown(running);
    case "rolled-back":
    case "failed":
      return running !== row.running || isDown(running);
    case "superseded":
      return !landed.includes(`${lineage}.${row.generation}`);
  }
}
