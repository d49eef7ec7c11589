import { keyOf } from "./key.ts";
import { due, free } from "./outside.ts";
import { acts } from "./process.ts";
import { type Bounds, firstState, type State } from "./state.ts";
import { isHidden, isWrong } from "./verdict.ts";

/** Schedules, and those of them in which something was wrong. */
export interface Tally {
  schedules: number;
  wrong: number;
  repeated: number;
  stale: number;
  /** An ending was recorded that is not so. */
  untrue: number;
  /** In the end something else is shown than what is so. */
  hidden: number;
}

const nothing = (): Tally => ({ schedules: 0, wrong: 0, repeated: 0, stale: 0, untrue: 0, hidden: 0 });

/** How a state goes on: in each of these ways; the schedule may end here where nothing is due any more. */
export function after(bounds: Bounds, state: State): { readonly next: readonly State[]; readonly ends: boolean } {
  const must = due(bounds, state);
  const may = free(bounds, state);
  const does = acts(bounds, state);
  const ends = state.rests !== undefined && must.length + does.length === 0;
  // What happens outside wakes a lane that is at rest: it looks again.
  const outside = [...must, ...may].map((one) =>
    state.rests === undefined ? one : { ...one, rests: undefined, seen: undefined },
  );
  const next = [...does, ...outside];
  if (next.length === 0 && !ends) throw new Error(`the lane is stuck: ${keyOf(state)}`);
  return { next, ends };
}

export function verdict(bounds: Bounds, state: State): Tally {
  const { repeated, stale, untrue } = state;
  return {
    schedules: 1,
    wrong: Number(isWrong(bounds, state)),
    repeated: Number(repeated),
    stale: Number(stale),
    untrue: Number(untrue),
    hidden: Number(isHidden(bounds, state)),
  };
}

/** Runs every schedule to its end, one after the other; what they have in common at their beginning is run once. */
export function runAll(bounds: Bounds): Tally {
  const tally = nothing();
  const stack: State[] = [firstState(bounds)];
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const { next, ends } = after(bounds, state);
    if (ends) add(tally, verdict(bounds, state));
    stack.push(...next);
  }
  return tally;
}

/**
 * Visits every state once, and counts the schedules that lead through it: as many as `runAll` would run.
 *
 * @throws {Error} when a state leads back to itself: the lane would go on for ever.
 */
export function countAll(bounds: Bounds): Tally & { readonly states: number } {
  const known = new Map<string, Tally | "on the way">();
  const visit = (state: State): Tally => {
    const key = keyOf(state);
    const found = known.get(key);
    if (found === "on the way") throw new Error(`the lane goes round for ever: ${key}`);
    if (found !== undefined) return found;
    known.set(key, "on the way");
    const { next, ends } = after(bounds, state);
    const tally = ends ? verdict(bounds, state) : nothing();
    for (const one of next) add(tally, visit(one));
    known.set(key, tally);
    return tally;
  };
  return { ...visit(firstState(bounds)), states: known.size };
}

function add(tally: Tally, more: Tally): void {
  if (!Number.isSafeInteger(tally.schedules + more.schedules)) throw new Error("more schedules than can be counted");
  tally.schedules += more.schedules;
  tally.wrong += more.wrong;
  tally.repeated += more.repeated;
  tally.stale += more.stale;
  tally.untrue += more.untrue;
  tally.hidden += more.hidden;
}
