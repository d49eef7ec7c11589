// The process is killed at every point where the outbox waits for something, and its successor at every point of its
// recovery; and random histories of wishes, mishaps and deaths all come to the same end.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Mishap, type Telling, telling } from "./outbox-support.ts";

interface Scenario {
  readonly name: string;
  readonly wanted: readonly string[];
  readonly after: string;
  readonly mishap?: Mishap;
}

const scenarios: readonly Scenario[] = [
  { name: "one value", wanted: ["one"], after: "one" },
  { name: "a newer value while the first is sent", wanted: ["one", "two"], after: "two" },
  { name: "a newer value after the restart", wanted: ["one"], after: "two" },
  { name: "the earlier value again after the restart", wanted: ["one", "two"], after: "one" },
  { name: "an answer that is lost", wanted: ["one"], mishap: "answer lost", after: "one" },
  { name: "a send that lands late", wanted: ["one", "two"], mishap: "late", after: "three" },
  { name: "a value that is refused at first", wanted: ["one"], mishap: "refused", after: "one" },
  { name: "a newer value than the refused one", wanted: ["one", "two"], mishap: "refused", after: "two" },
  { name: "a send that is lost", wanted: ["one"], mishap: "lost", after: "two" },
];

const PAUSE_MS = 150;

function killAt(n: number) {
  let passed = 0;
  let at = "";
  const dies = (point: string): boolean => {
    passed += 1;
    if (passed === n) at = point;
    return passed === n;
  };
  return { dies, passed: () => passed, at: () => at };
}

async function begin({ wanted, mishap }: Scenario, dies: (point: string) => boolean): Promise<Telling> {
  const made = telling({ dies });
  if (mishap !== undefined) made.other.mishaps.push(mishap);
  for (const value of wanted) {
    made.input.set(value);
    await made.pass(PAUSE_MS);
  }
  await made.pass(1_000);
  return made;
}

const HOUR = 3_600_000;
/** What was refused is tried again by then. */
const DAY = 25 * HOUR;

/** What is wrong once everything has come to rest; empty when nothing is. */
async function faults(made: Telling, last: string): Promise<readonly string[]> {
  await made.pass(DAY);
  const { length } = made.other.heard;
  await made.pass(HOUR);
  return [
    ...(made.other.shows() === last ? [] : [`it shows ${made.other.shows()}, not ${last}`]),
    ...(made.other.heard.length === length ? [] : ["it never comes to rest"]),
    ...(made.shows().startsWith("ok") ? [] : [`its term is ${made.shows()}`]),
    ...made.rig.store.queries.openOutbox().map(({ key }) => `${key} is open`),
    ...made.other.early.map((value) => `${value} was sent before it was durable`),
    ...made.outbox.unsent().map(({ key }) => `${key} is unsent`),
  ];
}

describe.each(scenarios)("$name", (scenario) => {
  it("with one death anywhere", async () => {
    const whole = killAt(0);
    await begin(scenario, whole.dies);
    expect(whole.passed()).toBeGreaterThan(5);
    const wrong: string[] = [];
    for (let n = 1; n <= whole.passed(); n += 1) {
      const death = killAt(n);
      const next = await (await begin(scenario, death.dies)).restart(scenario.after);
      wrong.push(...(await faults(next, scenario.after)).map((what) => `${n} ${death.at()}: ${what}`));
    }
    expect(wrong).toEqual([]);
  });

  it("with a second death during the recovery", async () => {
    const whole = killAt(0);
    await begin(scenario, whole.dies);
    const wrong: string[] = [];
    for (let n = 2; n <= whole.passed(); n += 3) {
      for (let m = 1; m <= 6; m += 1) {
        const second = killAt(m);
        const again = await (await begin(scenario, killAt(n).dies)).restart(scenario.after, { dies: second.dies });
        await again.pass(1_000);
        const last = await again.restart(scenario.after);
        wrong.push(...(await faults(last, scenario.after)).map((what) => `${n}, ${m} ${second.at()}: ${what}`));
      }
    }
    expect(wrong).toEqual([]);
  });
});

const mishaps = ["answer lost", "late", "lost", "silent", "refused"] as const;

describe("any history", () => {
  type Event = { readonly want: number } | { readonly pass: number } | { readonly mishap: Mishap } | "death" | "down";
  const event: fc.Arbitrary<Event> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ want: fc.nat(4) }) },
    { weight: 4, arbitrary: fc.record({ pass: fc.constantFrom(1, 150, 400, 5_000, 70_000, 3_000_000) }) },
    { weight: 3, arbitrary: fc.record({ mishap: fc.constantFrom<Mishap>(...mishaps) }) },
    { weight: 1, arbitrary: fc.constant("death" as const) },
    { weight: 1, arbitrary: fc.constant("down" as const) },
  );

  it("ends with the newest value shown, nothing open, and at rest", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 25 }), fc.boolean(), async (events, coalesces) => {
        let last = "start";
        let made = telling(coalesces ? { coalesceMs: 2_000 } : {}, last);
        for (const one of events) {
          if (one === "death") made = await made.restart(last);
          else if (one === "down") made.other.down = !made.other.down;
          else if ("pass" in one) await made.pass(one.pass);
          else if ("mishap" in one) made.other.mishaps.push(one.mishap);
          else made.input.set((last = `${one.want}`));
        }
        made.other.down = false;
        while (made.other.mishaps.includes("refused"))
          made.other.mishaps.splice(made.other.mishaps.indexOf("refused"), 1);
        expect(await faults(made, last)).toEqual([]);
      }),
      { numRuns: 400, examples: [[[{ mishap: "late" }, { pass: 5_000 }, { want: 0 }], false]] },
    );
  }, 30_000);
});
