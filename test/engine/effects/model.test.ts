// Every schedule of a lane: what may happen to it, to its process and to its target, in every order. What it decides is
// production's own `nextAct` and numbering (model/). doc/reliability.md tells the counts, and is held to them here.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { countAll, runAll, type Tally } from "./model/explore.ts";
import { firstFault } from "./model/first-fault.ts";
import { histories, oneByOne, planted, small, tag, tell } from "./model/histories.ts";
import type { Bounds } from "./model/state.ts";

/** On a machine that does much else meanwhile; by itself the longest takes seconds. */
const LIMIT_MS = 120_000;
const page = readFileSync(resolve(import.meta.dirname, "../../../doc/reliability.md"), "utf8").split("\n");
const NO_FAULTS = { wrong: 0, repeated: 0, stale: 0, untrue: 0, hidden: 0 };

const counted = new Map<Bounds, ReturnType<typeof countAll>>();
function countOf(bounds: Bounds): ReturnType<typeof countAll> {
  const tally = counted.get(bounds) ?? countAll(bounds);
  counted.set(bounds, tally);
  return tally;
}
/** A failing test shows the shortest schedule that does it. */
function expectSound(bounds: Bounds, tally: Tally): void {
  const faults = faultsOf(tally);
  const none = Object.values(faults).every((count) => count === 0);
  expect({ ...faults, shortest: none ? [] : firstFault(bounds) }).toEqual({ ...NO_FAULTS, shortest: [] });
}
const faultsOf = ({ wrong, repeated, stale, untrue, hidden }: Tally) => ({ wrong, repeated, stale, untrue, hidden });
const text = (count: number): string => count.toLocaleString("en-US");

/** The row of the page that begins with these cells goes on with these counts. */
function expectTold(cells: readonly string[], ...counts: readonly number[]): void {
  const begins = `| ${cells.join(" | ")} | `;
  expect(page.find((line) => line.startsWith(begins))).toBe(`${begins}${counts.map(text).join(" | ")} |`);
}

describe("every schedule, each run to its end", () => {
  const ran: Tally[] = [];
  it.each(oneByOne)(
    "of heads $heads",
    (bounds) => {
      const tally = runAll(bounds);
      ran.push(tally);
      expectSound(bounds, tally);
      expect(tally.schedules).toBe(countOf(bounds).schedules); // so counting through equal states counts right
      expectTold(["one by one", bounds.heads.join(", "), tell(bounds)], tally.schedules);
    },
    LIMIT_MS,
  );

  it("are half a million at the least", () => {
    expect(ran.reduce((sum, { schedules }) => sum + schedules, 0)).toBeGreaterThan(500_000);
  });
});

describe("every schedule, each state visited once", () => {
  it.each(histories.map((bounds) => ({ bounds, name: `${bounds.heads.join(", ")}: ${tell(bounds)}` })))(
    "$name",
    ({ bounds }) => {
      const tally = countOf(bounds);
      expect(tally.states).toBeGreaterThan(10);
      expectSound(bounds, tally);
      expectTold([bounds.heads.join(", "), tell(bounds)], tally.states, tally.schedules);
    },
    LIMIT_MS,
  );
});

describe("counting through equal states", () => {
  it.each(small.map((bounds) => ({ bounds, name: `${bounds.heads.join(", ")}: ${tell(bounds)}` })))(
    "counts what running each schedule counts: $name",
    ({ bounds }) => {
      const { states, ...tally } = countAll(bounds);
      expect(tally).toEqual(runAll(bounds));
      expect(tally.schedules).toBeGreaterThan(states / 10);
    },
  );
});

describe("what is taken out is noticed", () => {
  it.each(Object.entries(planted))(
    "%s",
    (what, bounds) => {
      const tally = countOf(bounds);
      const { schedules, wrong, repeated, stale, untrue } = tally;
      expect(what === "exit status" ? untrue : Math.min(wrong, repeated, stale)).toBeGreaterThan(0);
      expect(faultsOf(countOf(sound(bounds)))).toEqual(NO_FAULTS);
      expectTold([what], schedules, wrong, repeated, stale, untrue);
    },
    LIMIT_MS,
  );

  it("and the shortest schedule that shows it can be read", () => {
    const lines = firstFault(planted["no fence"]);
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.join("\n")).toMatch(/late=.*"verb":"apply"[^]*stale=true/);
    expect(firstFault(sound(planted["no fence"]))).toEqual([]);
  });
});

/** The same history with nothing taken out. */
const sound = ({ planted: _out, ...bounds }: Bounds): Bounds => bounds;

describe("a target without compare-and-set and receipts", () => {
  it("is right as long as no process dies and no answer is lost", () => {
    expect(faultsOf(countOf(tag))).toEqual(NO_FAULTS);
    expect(faultsOf(countOf({ ...tag, hands: 1 }))).toEqual(NO_FAULTS);
  });

  it("may be overwritten by a late write of a dead process: it is shown then, never hidden", () => {
    for (const drift of ["report", "repair"] as const) {
      const { wrong, hidden } = countOf({ ...tag, crashes: 1, lost: 1, drift });
      expect(wrong).toBeGreaterThan(0);
      expect(hidden).toBe(0);
    }
  });
});
