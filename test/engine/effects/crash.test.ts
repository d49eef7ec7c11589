// The driver of a lane is killed at every point where it waits for something, and its successor at every point of its
// recovery. The exhaustive model of the decisions is model.test.ts; this is the real code around them.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Mishap } from "../../../src/testing/index.ts";
import { type Deploying, deploying } from "./lane-support.ts";

interface Scenario {
  readonly name: string;
  /** Wanted by the process that dies, one after the other, a second apart. */
  readonly wanted: readonly string[];
  /** Wanted after the restart; nothing until a minute later when it is `later`. */
  readonly after: string;
  readonly later?: true;
  /** What becomes of the first write of the process that dies. */
  readonly mishap?: Mishap;
  /** What runs in the end. */
  readonly ends: string;
}

const scenarios: readonly Scenario[] = [
  { name: "one value", wanted: ["one"], after: "one", ends: "one" },
  { name: "a newer value while the first moves", wanted: ["one", "two"], after: "two", ends: "two" },
  { name: "a newer value after the restart", wanted: ["one"], after: "two", ends: "two" },
  { name: "the earlier value again after the restart", wanted: ["one"], after: "old", ends: "old" },
  { name: "a value that is known only later", wanted: ["one"], after: "one", later: true, ends: "one" },
  { name: "an answer that is lost", wanted: ["one"], mishap: "answer lost", after: "one", ends: "one" },
  { name: "a write that is lost", wanted: ["one"], mishap: "lost", after: "two", ends: "two" },
  { name: "a value that the target undoes", wanted: ["bad"], after: "bad", ends: "old" },
  { name: "a good value after one that is undone", wanted: ["bad", "two"], after: "two", ends: "two" },
];

const SOURCES = resolve(import.meta.dirname, "../../../src/engine/effects");
/** Where processes were killed: the points, and the lines of the lane's files that they were called from or waited in. */
const killed = { points: new Set<string>(), lines: new Set<string>() };
const { stackTraceLimit } = Error;
beforeAll(() => void (Error.stackTraceLimit = 60));
afterAll(() => void (Error.stackTraceLimit = stackTraceLimit));

function noteKill(point: string): void {
  killed.points.add(point);
  const places = (new Error("where?").stack ?? "").matchAll(/\/(lane[\w-]*\.ts:\d+):\d+/g);
  for (const [, place = ""] of places) killed.lines.add(place);
}

/** What a stack does not tell of: the point at which it is killed all the same, or why that is no matter. */
const untold: readonly (readonly [RegExp, string])[] = [
  [/\bstarted\(/, "before commit job running"],
  [/\bendJob\(|\bjob\.end\(/, "before commit job ok intent verified"],
  [/\bsleep\(|\bunreachable\(/, "asleep: nothing is under way, and the next look is a point"],
  [/\boptions\.fresh\(/, "a read: phases.test.ts"],
  [/\btrouble\(fresh\.error\)/, "refused before anything was written or sent: vouch.test.ts"],
  [/\badoptSeen\(|\braiseEpoch\(|\bjournal\.save\(|\bcancelled\(|\bjob\.row\.note\b/, "by a person: by-hand.test.ts"],
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
      noteKill(point);
      return true;
    },
    passed: () => passed,
    at: () => at,
  };
}

async function begin(
  { wanted, mishap }: Scenario,
  lateMs: number,
  dies: (point: string) => boolean,
): Promise<Deploying> {
  const made = deploying({ dies });
  made.world.lateMs = lateMs;
  made.world.bad.add("bad");
  if (mishap !== undefined) made.world.mishaps.push(mishap);
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

describe("the lane's files", () => {
  const waits = readdirSync(SOURCES)
    .filter((name) => name.startsWith("lane"))
    .flatMap((name) =>
      readFileSync(join(SOURCES, name), "utf8")
        .split("\n")
        .map((line, index) => ({ name, line: line.trim(), place: `${name}:${index + 1}` })),
    )
    .filter(({ line }) => /\bawait\b/.test(line));
  const isUntold = (line: string): boolean => untold.some(([pattern]) => pattern.test(line));

  it("wait nowhere that a process was not killed in", () => {
    const missed = waits.filter(({ place, line }) => !killed.lines.has(place) && !isUntold(line));
    expect(missed.map(({ name, line }) => `${name} ${line}`)).toEqual([]);
    expect(waits.filter(({ place }) => killed.lines.has(place)).length).toBeGreaterThan(10);
  });

  it("have what is said not to be told by a stack, and it is killed there", () => {
    expect(untold.filter(([pattern]) => !waits.some(({ line }) => pattern.test(line)))).toEqual([]);
    const points = untold.map(([, point]) => point).filter((point) => point.startsWith("before "));
    expect(points.filter((point) => ![...killed.points].some((at) => at.startsWith(point)))).toEqual([]);
  });
});
