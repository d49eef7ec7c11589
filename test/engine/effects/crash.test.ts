// The driver of a lane is killed at every point where it waits for something, and its successor at every point of its
// recovery. The exhaustive model of the decisions is model.test.ts; this is the real code around them.
import { describe, expect, it } from "vitest";
import { type Deploying, deploying } from "./lane-support.ts";

interface Scenario {
  readonly name: string;
  /** Wanted by the process that dies, one after the other, a second apart. */
  readonly wanted: readonly string[];
  /** Wanted after the restart; nothing until a minute later when it is `later`. */
  readonly after: string;
  readonly later?: true;
  /** What runs in the end. */
  readonly ends: string;
}

const scenarios: readonly Scenario[] = [
  { name: "one value", wanted: ["one"], after: "one", ends: "one" },
  { name: "a newer value while the first moves", wanted: ["one", "two"], after: "two", ends: "two" },
  { name: "a newer value after the restart", wanted: ["one"], after: "two", ends: "two" },
  { name: "the earlier value again after the restart", wanted: ["one"], after: "old", ends: "old" },
  { name: "a value that is known only later", wanted: ["one"], after: "one", later: true, ends: "one" },
  { name: "a value that the target undoes", wanted: ["bad"], after: "bad", ends: "old" },
  { name: "a good value after one that is undone", wanted: ["bad", "two"], after: "two", ends: "two" },
];

/** Kills at the n-th point that is passed. */
function killAt(n: number) {
  let passed = 0;
  let at = "";
  return {
    dies: (point: string): boolean => {
      passed += 1;
      if (passed !== n) return false;
      at = point;
      return true;
    },
    passed: () => passed,
    at: () => at,
  };
}

async function begin({ wanted }: Scenario, lateMs: number, dies: (point: string) => boolean): Promise<Deploying> {
  const made = deploying({ dies });
  made.world.lateMs = lateMs;
  made.world.bad.add("bad");
  for (const value of wanted) {
    made.input.set(value);
    await made.pass(1_000);
  }
  await made.pass(20_000);
  return made;
}

async function goOn(
  { after, later }: Scenario,
  made: Deploying,
  dies?: (point: string) => boolean,
): Promise<Deploying> {
  const next = await made.restart(later === true ? undefined : after, dies === undefined ? {} : { dies });
  if (later === true) {
    await next.pass();
    next.input.set(after);
  }
  await next.pass(5 * 60_000);
  return next;
}

/** What is wrong in the end; empty when nothing is. */
function faults({ ends }: Scenario, { world, rows, jobs, shows, rig }: Deploying): readonly string[] {
  const intents = new Set(world.moves.map(({ intent }) => intent));
  const generations = world.moves.map(({ generation }) => generation);
  const said = ends === "old" && shows().startsWith("failed ROLLED_BACK") ? "ok old" : shows();
  const found: readonly (readonly [boolean, string])[] = [
    [world.thing("web")?.running !== ends, `it runs ${world.thing("web")?.running}, not ${ends}`],
    [said !== `ok ${ends}`, `it shows ${shows()}`],
    [intents.size < world.moves.length, "one intent moved it twice"],
    [generations.some((generation, at) => generation < (generations[at - 1] ?? 0)), "an older value came over a newer"],
    [world.moves.filter(({ value }) => value === "bad").length > 1, "what was undone was tried again"],
    [rows().some(({ endedMs }) => endedMs === null), `an intent is open: ${JSON.stringify(rows().at(-1))}`],
    [jobs().some(({ endedMs }) => endedMs === null), "a job is open"],
    [rig.engine.jobs.open.size > 0, "a job is open in memory"],
  ];
  return found.filter(([wrong]) => wrong).map(([, what]) => what);
}

/** For an intent that a dead process left open, the first write of the next is a fence: its own may still be on its way. */
function unfenced({ world }: Deploying, open: string | undefined): readonly string[] {
  const first = world.arrivals.find(({ epoch, intent }) => epoch > 1 && intent === open);
  return first?.verb === "apply" ? ["an intent that was left open was applied without a fence"] : [];
}

describe.each(scenarios)("$name", (scenario) => {
  it.each([0, 400, 3_000, 70_000])("with one death anywhere, requests landing %i ms late", async (lateMs) => {
    const whole = killAt(0);
    await begin(scenario, lateMs, whole.dies);
    expect(whole.passed()).toBeGreaterThan(15);
    const wrong: string[] = [];
    for (let n = 1; n <= whole.passed(); n += 1) {
      const death = killAt(n);
      const died = await begin(scenario, lateMs, death.dies);
      const open = died.rows().find(({ endedMs }) => endedMs === null)?.id;
      const made = await goOn(scenario, died);
      const found = [...faults(scenario, made), ...unfenced(made, open)];
      wrong.push(...found.map((what) => `${n} ${death.at()}: ${what}`));
    }
    expect(wrong).toEqual([]);
  });
});

describe("a second death during the recovery", () => {
  it.each(scenarios)(
    "$name",
    async (scenario) => {
      const whole = killAt(0);
      await begin(scenario, 400, whole.dies);
      const wrong: string[] = [];
      let tried = 0;
      for (let n = 1; n <= whole.passed(); n += 1)
        for (let m = 1; ; m += 5) {
          const [first, second] = [killAt(n), killAt(m + (n % 5))];
          const recovering = await goOn(scenario, await begin(scenario, 400, first.dies), second.dies);
          if (second.at() === "") break;
          tried += 1;
          const found = faults(scenario, await goOn(scenario, recovering));
          wrong.push(...found.map((what) => `${n} ${first.at()}, then ${m} ${second.at()}: ${what}`));
        }
      expect(tried).toBeGreaterThan(40);
      expect(wrong).toEqual([]);
    },
    60_000,
  );
});
