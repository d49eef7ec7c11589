import { describe, expect, it } from "vitest";
import { type DriftState, SPENT } from "../../../src/engine/effects/drift.ts";
import {
  type Act,
  type Ending,
  nextAct,
  type OpenIntent,
  type Situation,
  type Want,
} from "../../../src/engine/effects/machine.ts";
import type { Observed, Stamp } from "../../../src/engine/effects/target.ts";

const want: Want = { digest: "d5", generation: 5, running: "five", forced: false };
const mine: Stamp = { intent: "i5", generation: 5, epoch: 2, digest: "d5", owner: "demo" };
const older: Stamp = { intent: "i4", generation: 4, epoch: 1, digest: "d4", owner: "demo" };
const intent: OpenIntent = { ...want, id: "i5", state: "planned", seenVersion: "10", clear: false };
const seen: Observed = { exists: true, running: "four", receipt: older, version: "10", motion: "steady", ref: null };
const { receipt: _none, ...bare } = seen;
const ending = (state: Ending["state"], more: Partial<Ending> = {}): Ending => ({
  id: "i5",
  state,
  generation: 5,
  digest: "d5",
  evidence: "so it ended",
  ...more,
});
/** After a restart: an intent is open, nothing is cleared, earlier writes may be in flight. */
const restarted: Situation = { epoch: 2, owner: "demo", want, intent, last: undefined, seen, cleared: undefined };
const idle: Situation = { ...restarted, intent: undefined };

const act = (situation: Situation): string => {
  const next: Act = nextAct(situation);
  if (next.act === "end") return `end ${next.state}`;
  if (next.act === "rest") return `rest: ${next.why}`;
  return next.act === "clear" ? `clear ${next.generation}` : next.act;
};

describe("after a restart, with an intent open", () => {
  it.each<readonly [string, Partial<Situation>, string]>([
    ["nothing seen yet", { seen: undefined }, "observe"],
    ["my receipt, my value", { seen: { ...seen, receipt: mine, running: "five", version: "11" } }, "adopt"],
    [
      "my receipt, my value, still moving",
      { seen: { ...seen, receipt: mine, running: "five", motion: "moving" } },
      "adopt",
    ],
    [
      "my receipt, my value, already recorded as applied",
      { intent: { ...intent, state: "applied" }, seen: { ...seen, receipt: mine, running: "five" } },
      "settle",
    ],
    [
      "my receipt, another value: changed by hand since",
      { seen: { ...seen, receipt: mine, running: "x" } },
      "end failed",
    ],
    ["an older receipt, same version: the head first", {}, "clear 5"],
    ["an older receipt, same version, head read: fence", { cleared: 5 }, "fence"],
    ["an older receipt, newer version: fence all the same", { cleared: 5, seen: { ...seen, version: "12" } }, "fence"],
    ["an older receipt, answer lost", { cleared: 5, intent: { ...intent, state: "unknown" } }, "fence"],
    ["an older receipt, fenced, still newest", { intent: { ...intent, clear: true } }, "apply"],
    [
      "an older receipt, fenced, a newer value wanted",
      { intent: { ...intent, clear: true }, want: { ...want, generation: 6 } },
      "end superseded",
    ],
    [
      "an older receipt, fenced, nothing wanted any more",
      { intent: { ...intent, clear: true }, want: undefined },
      "end superseded",
    ],
    [
      "an older receipt, not fenced, a newer value wanted: clear that, then fence",
      { want: { ...want, generation: 6 } },
      "clear 6",
    ],
    ["an older receipt, the wish not known yet", { want: undefined }, "wait"],
    ["an older receipt, still moving", { cleared: 5, seen: { ...seen, motion: "moving" } }, "wait"],
    ["rolled back since the intent", { seen: { ...seen, motion: "rolled-back", version: "12" } }, "end rolled-back"],
    ["rolled back, but before the intent", { cleared: 5, seen: { ...seen, motion: "rolled-back" } }, "fence"],
    [
      "applied, and the receipt is gone: the target tells what became of it",
      { intent: { ...intent, state: "applied" }, seen: { ...seen, version: "13" } },
      "settle",
    ],
    ["no receipt at all, my value", { seen: { ...bare, running: "five" } }, "adopt"],
    ["no receipt at all, another value", { cleared: 5, seen: bare }, "fence"],
    [
      "a receipt of a newer generation",
      { seen: { ...seen, receipt: { ...older, intent: "x", generation: 6 } } },
      "hold",
    ],
    ["a receipt of a higher epoch", { seen: { ...seen, receipt: { ...older, epoch: 3 } } }, "hold"],
    [
      "another owner's receipt that a person adopted, back after an undone update",
      {
        last: ending("rolled-back", { id: "i4", generation: 4 }),
        seen: { ...seen, receipt: { ...older, intent: "x", owner: "tarides" } },
        recorded: true,
        cleared: 5,
      },
      "fence",
    ],
    ["another owner's receipt", { seen: { ...seen, receipt: { ...older, owner: "tarides" } } }, "hold"],
    ["gone", { cleared: 5, seen: { ...bare, exists: false } }, "end failed"],
  ])("%s", (_what, more, expected) => {
    expect(act({ ...restarted, ...more })).toBe(expected);
  });
});

describe("without an open intent", () => {
  it.each<readonly [string, Partial<Situation>, string]>([
    ["nothing wanted: nobody looks", { want: undefined, seen: undefined }, "rest: nothing wanted"],
    ["something wanted: look first", { seen: undefined }, "observe"],
    ["it runs already", { seen: { ...seen, running: "five" } }, "rest: as wanted"],
    ["it runs already, by hand", { seen: { ...bare, running: "five" } }, "rest: as wanted"],
    [
      "it runs already, but is asked for again",
      { want: { ...want, forced: true }, seen: { ...seen, running: "five" } },
      "clear 5",
    ],
    ["something else runs", {}, "clear 5"],
    ["something else runs, head read", { cleared: 5 }, "plan"],
    ["something else runs, another generation's head read", { cleared: 4 }, "clear 5"],
    ["somebody moves it", { cleared: 5, seen: { ...seen, motion: "moving" } }, "wait"],
    ["somebody moves it to what is wanted", { seen: { ...seen, running: "five", motion: "moving" } }, "wait"],
    ["it is not there", { cleared: 5, seen: { ...bare, exists: false } }, "missing"],
    ["it was undone before", { cleared: 5, last: ending("rolled-back") }, "give-up"],
    ["it failed before", { cleared: 5, last: ending("failed") }, "give-up"],
    [
      "it failed before, and its update has come to a halt",
      { last: ending("failed"), seen: { ...seen, receipt: mine, running: "five", motion: "failed" } },
      "give-up",
    ],
    ["what is wanted does not run", { seen: { ...seen, running: "five", down: "it fell" } }, "down"],
    [
      "what is wanted does not run, and was undone to once",
      { cleared: 5, seen: { ...seen, running: "five", motion: "rolled-back", down: "it fell" } },
      "down",
    ],
    [
      "what is wanted does not run, and it failed before",
      { last: ending("failed"), seen: { ...seen, receipt: mine, running: "five", down: "it fell" } },
      "give-up",
    ],
    [
      "what is wanted does not run, and is asked for again",
      { want: { ...want, forced: true }, seen: { ...seen, running: "five", down: "it fell" } },
      "clear 5",
    ],
    ["something else does not run", { cleared: 5, seen: { ...seen, down: "it fell" } }, "plan"],
    [
      "an update to what is wanted has come to a halt, and it was not ours",
      { cleared: 5, seen: { ...seen, running: "five", motion: "failed" } },
      "plan",
    ],
    [
      "it failed before and is asked for again",
      { cleared: 5, want: { ...want, forced: true }, last: ending("failed") },
      "plan",
    ],
    ["an earlier value failed", { cleared: 5, last: ending("failed", { id: "i4", generation: 4 }) }, "plan"],
    [
      "it was given up for something newer before, and is wanted again",
      { cleared: 5, last: ending("superseded") },
      "plan",
    ],
    [
      "it was verified and then changed by hand",
      { cleared: 5, last: ending("verified"), seen: { ...seen, receipt: mine } },
      "drifted",
    ],
    [
      "our last receipt, though its numbers are higher than ours",
      {
        last: ending("verified", { id: "x", generation: 5 }),
        seen: { ...seen, running: "five", receipt: { ...mine, intent: "x", epoch: 9, owner: "other" } },
      },
      "rest: as wanted",
    ],
    ["a foreign receipt", { cleared: 5, seen: { ...seen, receipt: { ...older, owner: "tarides" } } }, "hold"],
    [
      "a newer generation's receipt though it runs what is wanted",
      { seen: { ...seen, running: "five", receipt: { ...mine, intent: "x", generation: 6 } } },
      "hold",
    ],
  ])("%s", (_what, more, expected) => {
    expect(act({ ...idle, ...more })).toBe(expected);
  });
});

describe("changed by hand", () => {
  const settled = { generation: 5, running: "five" };
  const drift: DriftState = { policy: "report", settled, ours: ["five"], held: undefined, repair: "due" };
  const byHand: Observed = { ...seen, receipt: mine, running: "x", version: "12" };
  const waits = "wait: it was changed by hand and still moves";
  const newer: Want = { ...want, generation: 6, running: "six" };
  const found = (more: Partial<Situation>, known: Partial<DriftState>): string => {
    const next = nextAct({ ...idle, seen: byHand, ...more, drift: { ...drift, ...known } });
    if (next.act === "drifted") return `${next.reaction}: ${next.why}`;
    return act({ ...idle, seen: byHand, ...more, drift: { ...drift, ...known } });
  };

  it.each<readonly [string, Partial<Situation>, Partial<DriftState>, string]>([
    ["reported", {}, {}, "report: it was changed by hand"],
    ["reported, a newer value wanted", { want: newer }, {}, "clear 6"],
    ["reported, asked for again", { want: { ...newer, forced: true } }, {}, "clear 6"],
    ["held", {}, { policy: "hold" }, "hold: it was changed by hand"],
    ["held, a newer value wanted", { want: newer }, { policy: "hold" }, "hold: it was changed by hand"],
    ["held, asked for again", { want: { ...newer, forced: true }, cleared: 6 }, { policy: "hold" }, "plan"],
    ["held before, whatever runs", { want: newer }, { policy: "hold", held: "so", ours: ["x"] }, "hold: so"],
    [
      "held before, put back",
      { seen: { ...byHand, running: "five" } },
      { policy: "hold", held: "so" },
      "rest: as wanted",
    ],
    ["to hold, but never left as wanted", { want: newer }, { policy: "hold", settled: undefined }, "clear 6"],
    ["to hold, but it runs what we left", { want: newer }, { policy: "hold", ours: ["x"] }, "clear 6"],
    ["to repair", {}, { policy: "repair" }, "repair"],
    ["to repair, a newer value wanted", { want: newer }, { policy: "repair" }, "clear 6"],
    ["to repair, still moving", { seen: { ...byHand, motion: "moving" } }, { policy: "repair" }, waits],
    [
      "to repair, too soon",
      {},
      { policy: "repair", repair: "later" },
      "later: it was changed by hand again after a repair",
    ],
    ["to repair, too often", {}, { policy: "repair", repair: "spent" }, `hold: ${SPENT}`],
    ["to repair, with an intent open", { intent: { ...intent, clear: true } }, { policy: "repair" }, "end failed"],
    ["to repair, a newer intent open, not sent", newerIntent("planned"), { policy: "repair" }, "apply"],
    ["to repair, a newer intent open, sent", newerIntent("applied"), { policy: "repair" }, "settle"],
    ["to hold, a newer intent open, not sent", newerIntent("planned"), { policy: "hold" }, "end superseded"],
    ["to hold, a newer intent open, sent", newerIntent("applied"), { policy: "hold" }, "settle"],
    ["adopted", {}, { settled: { generation: 5, running: "x" } }, "rest: adopted"],
    [
      "adopted, and it does not run",
      { seen: { ...byHand, down: "it fell" } },
      { settled: { generation: 5, running: "x" } },
      "down",
    ],
    [
      "adopted, a newer value wanted",
      { want: newer },
      { policy: "hold", settled: { generation: 5, running: "x" } },
      "clear 6",
    ],
    ["nothing wanted", { want: undefined }, { policy: "repair" }, "rest: nothing wanted"],
  ])("%s", (_what, more, known, expected) => {
    expect(found(more, known)).toBe(expected);
  });

  function newerIntent(state: OpenIntent["state"]): Partial<Situation> {
    const open: OpenIntent = { ...intent, id: "i6", generation: 6, running: "six", state, clear: true };
    return { want: newer, intent: open, cleared: 6 };
  }
});
