import type { DriftAct } from "./drift.ts";
import type { DriftRecord } from "./drift-record.ts";
import { troubleOf } from "./intents.ts";
import { type LaneCore, MOVING_MS, TROUBLE_MS } from "./lane-core.ts";
import type { Want } from "./machine.ts";
import type { Observed } from "./target.ts";

type Drifted = Extract<DriftAct, { act: "drifted" }>;

/** Shows a change by hand; the first time it is an event too. A hold is remembered until a person ends it. */
export async function showDrift<Spec, W, Seen extends Observed, Ref>(
  core: LaneCore<Spec, W, Seen, Ref>,
  act: Drifted,
): Promise<void> {
  const { engine, state, kind, spec, face } = core;
  const error = troubleOf(act, kind.describe(spec));
  const noticed = `${act.reaction === "hold"} ${act.runs} ${act.wanted}`;
  if (core.noticed !== noticed) face.tell({ kind: "drift", subject: core.options.term, detail: error.message });
  core.noticed = noticed;
  if (act.reaction === "hold") state.drift.hold(act.why);
  if (act.reaction !== "later") return core.trouble(error, act.reaction === "wait" ? MOVING_MS : TROUBLE_MS);
  const { repairInMs } = state.drift;
  return core.trouble({ ...error, retryAtMs: engine.clock.now() + repairInMs }, Math.min(TROUBLE_MS, repairInMs));
}

/** Wants the same value again, because of the drift; from here on it goes the way of every newly wanted value. */
export async function repairDrift<Spec, W, Seen extends Observed, Ref>(
  { engine, state, kind, spec, options, want }: LaneCore<Spec, W, Seen, Ref>,
  { runs, wanted }: Extract<DriftAct, { act: "repair" }>,
): Promise<void> {
  if (want === undefined) return;
  const detail = `${kind.describe(spec)} was changed by hand: it runs ${runs}, wanted is ${wanted}`;
  engine.change({ kind: "drift", subject: options.term, detail }, () => {
    state.wants.repair(want, engine.events, state.newest);
  });
}

/** Whose word it is that something else than what is wanted may run. */
export const adoptedText = ({ settled }: DriftRecord, { running }: Want): string =>
  `adopted by ${settled?.adoptedBy ?? "a person"}, in place of ${running}, until something newer is wanted`;
