import { expect, it } from "vitest";
import { askedWaitMs } from "../../src/engine/asked-wait.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

it.each([
  ["no date", undefined, 0],
  ["a date in the past", NOW - 5, 0],
  ["now", NOW, 0],
  ["one that is soon", NOW + 5_000, 5_000],
  ["one in an hour", NOW + HOUR, HOUR],
  ["a wrong one", NOW + 3 * 365 * 24 * HOUR, HOUR],
  ["none that is a number", Number.POSITIVE_INFINITY, HOUR],
])("%s is waited for as long as it says, and an hour at most", (_, untilMs, waitMs) => {
  expect(askedWaitMs(untilMs, NOW)).toBe(waitMs);
});
