import { describe, expect, it } from "vitest";
import { numberText, percentile, quantityText, spreadOf } from "../../bench/maths.ts";

describe("a spread", () => {
  it("has the middle, the least and the most, whatever the order", () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9, count: 3 });
  });

  it("lies between the middle two of an even number", () => {
    expect(spreadOf([4, 1, 3, 2]).median).toBe(2.5);
  });

  it("leaves what it was given as it was", () => {
    const values = [3, 1, 2];
    spreadOf(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it("is refused without values", () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe("a percentile", () => {
  const hundred = Array.from({ length: 101 }, (_, index) => 100 - index);
  it.each([
    [0, 0],
    [0.5, 50],
    [0.99, 99],
    [1, 100],
  ])("%f of 0 … 100 is %f", (part, value) => {
    expect(percentile(hundred, part)).toBeCloseTo(value, 9);
  });
});

describe("a figure as text", () => {
  it.each([
    [0.5234, "0.52"],
    [0.05234, "0.052"],
    [3.806, "3.81"],
    [49.04, "49.0"],
    [65_361.4, "65,361"],
    [3, "3"],
    [Number.NaN, "–"],
  ])("%f is %s", (value, text) => {
    expect(numberText(value)).toBe(text);
  });

  it.each([
    [999, "µs", "999 µs"],
    [24_399, "µs", "24.4 ms"],
    [1_518, "ms", "1.52 s"],
    [2_230, "B", "2,230 B"],
    [4_000, "", "4,000"],
  ] as const)("%f %s is %s", (value, unit, text) => {
    expect(quantityText(value, unit)).toBe(text);
  });
});
