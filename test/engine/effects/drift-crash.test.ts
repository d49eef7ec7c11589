// A repair is killed at every point where it waits for something, and its successor at many points of its recovery: the
// repair is neither lost nor made twice, and what is held stays so.
import { describe, expect, it } from "vitest";
import type { DriftPolicy } from "../../../src/engine/effects/drift.ts";
import { type Deploying, deploying } from "./lane-support.ts";

const MINUTE = 60_000;

interface Scenario {
  readonly name: string;
  readonly drift: DriftPolicy;
  /** Wanted half a minute after the change by hand was noticed. */
  readonly next?: string;
  /** Wanted after the restart. */
  readonly after: string;
  /** What was put on the thing since the change by hand, in the end. */
  readonly moves: readonly string[];
  readonly shows: RegExp;
}

const scenarios: readonly Scenario[] = [
  { name: "a repair", drift: "repair", after: "one", moves: ["one"], shows: /^ok one$/ },
  {
    name: "a repair, then a newer value",
    drift: "repair",
    next: "two",
    after: "two",
    moves: ["two"],
    shows: /^ok two$/,
  },
  { name: "a report", drift: "report", after: "one", moves: [], shows: /^failed DRIFTED/ },
  { name: "a report, then a newer value", drift: "report", after: "two", moves: ["two"], shows: /^ok two$/ },
  {
    name: "a hold, then a newer value",
    drift: "hold",
    next: "two",
    after: "two",
    moves: [],
    shows: /^failed DRIFT_HELD/,
  },
];

/** Kills at the n-th point that is passed after the change by hand; never for 0. */
function killAt(n: number) {
  let passed = 0;
  let at = "";
  let armed = false;
  return {
    arm: (): void => void (armed = true),
    dies: (point: string): boolean => {
      if (!armed) return false;
      passed += 1;
      if (passed !== n) return false;
      at = point;
      return true;
    },
    passed: () => passed,
    at: () => at,
  };
}

async function begin({ drift, next }: Scenario, lateMs: number, death: ReturnType<typeof killAt>): Promise<Deploying> {
  const made = deploying({ drift, dies: death.dies }, "one");
  made.world.lateMs = lateMs;
  await made.pass();
  made.world.byHand("web", { running: "by hand" });
  death.arm();
  await made.pass();
  if (next !== undefined) made.input.set(next);
  await made.pass(MINUTE);
  return made;
}

async function goOn({ after }: Scenario, died: Deploying, dies = (_point: string): boolean => false) {
  const made = await died.restart(after, { dies });
  await made.pass(10 * MINUTE);
  return made;
}

function faults({ moves, shows }: Scenario, made: Deploying): readonly string[] {
  const { world, rows, jobs, rig } = made;
  // With a newer value, a repair may have come before it or not at all.
  const since = made.moves().slice(1);
  const last = since.slice(since.length - moves.length);
  const intents = new Set(world.moves.map(({ intent }) => intent));
  const found: readonly (readonly [boolean, string])[] = [
    [JSON.stringify(last) !== JSON.stringify(moves), `it was moved to ${since.join()}`],
    [since.filter((value) => value === "one").length > 1, `repaired twice: ${since.join()}`],
    [since.filter((value) => value === "two").length > 1, `deployed twice: ${since.join()}`],
    [moves.length === 0 && since.length > 0, `it was moved to ${since.join()}, against its policy`],
    [!shows.test(made.shows()), `it shows ${made.shows()}`],
    [intents.size < world.moves.length, "one intent moved it twice"],
    [rows().some(({ endedMs }) => endedMs === null), "an intent is open"],
    [jobs().some(({ endedMs }) => endedMs === null), "a job is open"],
    [rig.engine.jobs.open.size > 0, "a job is open in memory"],
  ];
  return found.filter(([wrong]) => wrong).map(([, what]) => what);
}

describe.each(scenarios)("$name", (scenario) => {
  it.each([0, 400, 70_000])(
    "with one death anywhere after the change by hand, requests landing %i ms late",
    async (lateMs) => {
      const whole = killAt(0);
      await begin(scenario, lateMs, whole);
      expect(whole.passed()).toBeGreaterThan(scenario.moves.length === 0 ? 3 : 10);
      const wrong: string[] = [];
      for (let n = 1; n <= whole.passed(); n += 1) {
        const death = killAt(n);
        const made = await goOn(scenario, await begin(scenario, lateMs, death));
        wrong.push(...faults(scenario, made).map((what) => `${n} ${death.at()}: ${what}`));
      }
      expect(wrong).toEqual([]);
    },
  );

  it("with a second death during the recovery", async () => {
    const whole = killAt(0);
    await begin(scenario, 400, whole);
    const wrong: string[] = [];
    for (let n = 1; n <= whole.passed(); n += 1)
      for (let m = 1; ; m += 5) {
        const [first, second] = [killAt(n), killAt(m + (n % 5))];
        second.arm();
        const recovering = await goOn(scenario, await begin(scenario, 400, first), second.dies);
        if (second.at() === "") break;
        const found = faults(scenario, await goOn(scenario, recovering));
        wrong.push(...found.map((what) => `${n} ${first.at()}, then ${m} ${second.at()}: ${what}`));
      }
    expect(wrong).toEqual([]);
  }, 60_000);
});
