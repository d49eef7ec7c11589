// The kill harness, held to its word: each bug that it is for is put into the product, and it has to find it.
import { describe, expect, it } from "vitest";
import { BRANCHES } from "../kill/place.ts";
import type { Round, Weapon } from "../kill/plan.ts";
import { type Bug, plant } from "../kill/planted.ts";
import { runKills } from "../kill/run.ts";
import { hasParts } from "./rig.ts";

const killed = (weapon: Weapon, meanwhile: Round["strikes"][number]["meanwhile"]): Round => ({
  branches: BRANCHES,
  strikes: [{ from: "push", weapon, limitMs: 30_000, meanwhile }],
  lateWrites: "at the end",
});
/** Both updates are on their way when the server dies, and what ran before is wanted again. */
const late = killed({ by: "write", to: "service", side: "request", nth: 2 }, "back");
/** Both updates are in when the server dies, and it does not know. */
const unrecorded = killed({ by: "write", to: "service", side: "answer", nth: 2 }, "nothing");

const cases: readonly (Bug & { readonly round: Round; readonly found: RegExp })[] = [
  {
    name: "no fence before it is decided that a change is not wanted any more",
    file: "engine/effects/machine.js",
    right: 'return { act: "fence" };',
    wrong: 'return { act: "end", state: "superseded", evidence: "planted" };',
    round: late,
    found: /is to run v\d, and v\d is the newest|is said to run/,
  },
  {
    name: "an intent that is not recorded before its effect",
    file: "engine/effects/intents.js",
    right: 'await this.#journal.save({ put: "intent", row }, ...writes);',
    wrong: 'if (row.state !== "planned") await this.#journal.save({ put: "intent", row }, ...writes);',
    round: unrecorded,
    // Who looks between the update and its task sees it first: the newest deploy on record is not the one that runs.
    found: /made 1 tasks for 0 deploys|is said to be verified/,
  },
  {
    name: "a change that is found on the target and made again",
    file: "engine/effects/machine.js",
    right: "if (bears(seen, intent))",
    wrong: 'if (bears(seen, intent) && intent.state === "applied")',
    round: unrecorded,
    found: /an update was repeated/,
  },
  {
    name: "an update that is believed as soon as it was sent",
    file: "plugins/swarm/settle.js",
    right: "const verdict = judge(ref, look);",
    wrong: 'const verdict = { state: "healthy", why: "planted" };',
    round: unrecorded,
    found: /is said to be verified/,
  },
];

describe.skipIf(!hasParts)("the kill harness", () => {
  it.each(cases)("finds $name", async (bug) => {
    const { entry, dispose } = plant(bug);
    const run = runKills({ seed: 1, kills: 0, interrupted: 0, each: 1, rounds: [bug.round], entry });
    await expect(run.finally(dispose)).rejects.toThrow(bug.found);
  });

  it.each([
    ["updates that land late", late],
    ["updates that nobody recorded", unrecorded],
  ])("finds nothing wrong with the product itself: %s", async (_, round) => {
    const tally = await runKills({ seed: 1, kills: 0, interrupted: 0, each: 1, rounds: [round] });
    expect([tally.kills, tally.aimed, tally.interrupted]).toEqual([1, 1, 2]);
  });
});
