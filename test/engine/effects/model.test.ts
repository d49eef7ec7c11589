import { describe, expect, it } from "vitest";
import { explore, type History, type Planted } from "./model.ts";

const histories: readonly (readonly string[])[] = [
  ["A"],
  ["A", "B"],
  ["A", "B", "A"],
  ["A", "B!"],
  ["A!", "B"],
  ["A", "A!", "A"],
];
/** Schedules a history and number of crashes; the longest histories have more than anybody waits for. */
const SCHEDULES_MAX = 12_000;
const PLANTED_MS = 60_000;

describe("every schedule of a lane, its crashes and its late writes", () => {
  for (const heads of histories) {
    for (const crashes of [0, 1, 2]) {
      it(`${heads.join(", ")} with ${crashes} crashes`, () => {
        const { schedules, ...faults } = explore({ heads, crashes, lost: 1 }, SCHEDULES_MAX);
        expect(schedules).toBeGreaterThan(0);
        expect(faults).toEqual({ wrong: 0, repeated: 0, stale: 0 });
      });
    }
  }
});

describe("the model notices what is taken out", () => {
  const faultsWith = (planted: Planted): number => {
    const history: History = { heads: ["A", "B", "A"], crashes: 1, lost: 1, ...planted };
    const { wrong, repeated, stale } = explore(history, 100_000, true);
    return wrong + repeated + stale;
  };
  it("the fence", () => expect(faultsWith({ noFence: true })).toBeGreaterThan(0), PLANTED_MS);
  it("compare-and-set", () => expect(faultsWith({ noCompareAndSet: true })).toBeGreaterThan(0), PLANTED_MS);
  it("the intent record", () => expect(faultsWith({ noIntentRecord: true })).toBeGreaterThan(0), PLANTED_MS);
});
