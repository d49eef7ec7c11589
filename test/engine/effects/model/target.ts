import type { Observed } from "../../../../src/engine/effects/target.ts";
import { type Bounds, BY_HAND, type Request, type State } from "./state.ts";

/** A write reaches the target. */
export function land(
  bounds: Bounds,
  state: State,
  request: Request,
): { state: State; answer: "applied" | "conflict" | "refused" } {
  const compares = bounds.guard !== "none" && bounds.planted !== "no compare-and-set";
  if (request.value.endsWith("?") && request.verb === "apply") return { state, answer: "refused" };
  if (compares && request.version !== state.version) return { state, answer: "conflict" };
  // Any write makes the target forget an earlier roll-back: measured on Swarm, asked of every kind.
  const motion = state.motion === "moving" ? "moving" : "steady";
  if (request.verb === "fence")
    return {
      state: bounds.guard === "none" ? state : { ...state, version: state.version + 1, motion },
      answer: "applied",
    };
  return { state: moved(bounds, counted(bounds, state, request), request), answer: "applied" };
}

function moved(bounds: Bounds, state: State, { value, stamp }: Request): State {
  const version = state.version + 1;
  if (bounds.guard === "none") return { ...state, version, running: value };
  const before = { running: state.running, receipt: state.receipt };
  return { ...state, version, running: value, receipt: stamp, before, motion: "moving" };
}

/** What this landing says of the schedule. */
function counted(bounds: Bounds, state: State, { stamp, value, wished, lineage }: Request): State {
  const wish = `${lineage}.${stamp.generation}`;
  const { hands, undos, presses, adopts, restores } = bounds;
  const untouched = [hands, undos, presses, adopts, restores].every((times) => times === undefined);
  const runsAlready = untouched && state.running === value && state.motion === "steady" && !isDown(value);
  // Who restores an old backup cannot be told of the intents that came after it.
  const ended = state.lineage === 0 && state.row?.id !== stamp.intent;
  return {
    ...state,
    repeated: state.repeated || runsAlready || state.landed.includes(wish),
    stale: state.stale || ended || wished < state.newestLanded,
    landed: state.landed.includes(wish) ? state.landed : [...state.landed, wish],
    newestLanded: Math.max(state.newestLanded, wished),
  };
}

/** What moves comes to rest: as it was meant to, undone, or half-way. */
export function finish(state: State): State {
  const version = state.version + 1;
  if (state.running.endsWith("!")) return { ...state, ...state.before, version, motion: "rolled-back" };
  return { ...state, version, motion: isDown(state.running) ? "failed" : "steady" };
}

/** Somebody changes what runs; our receipt stays, as with `docker service update`. */
export const changedByHand = (state: State): State => ({
  ...state,
  before: { running: state.running, receipt: state.receipt },
  running: BY_HAND,
  version: state.version + 1,
  motion: "steady",
});

/** Somebody has the target take back the last change, and with it the receipt. */
export const undoneByHand = (state: State): State => ({
  ...state,
  ...state.before,
  version: state.version + 1,
  motion: "rolled-back",
});

/** What stopped half-way does not run, also when a write has made the target forget that it stopped. */
export const isDown = (value: string): boolean => value.endsWith("~");

/** A look at it. */
export function observed({ guard }: Bounds, { running, version, motion, receipt }: State): Observed {
  const seen = { exists: true, running, version: guard === "none" ? running : String(version), motion, ref: null };
  const still = motion === "steady" || motion === "rolled-back";
  const down = still && isDown(running) ? { down: "it stopped half-way" } : {};
  return receipt === undefined ? { ...seen, ...down } : { ...seen, ...down, receipt };
}
