/** A number as it was measured several times. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many measurements. */
  readonly count: number;
}

/** @throws {RangeError} without values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) throw new RangeError("no values to take the median of");
  return { median: quantile(sorted, 0.5), min, max, count: sorted.length };
}

export const median = (values: readonly number[]): number => spreadOf(values).median;

/** @param part  0.99 for the value that 99 of 100 do not exceed; 0.5 lies between the middle two. */
export function percentile(values: readonly number[], part: number): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    part,
  );
}

/** By linear interpolation between the two nearest ranks. */
function quantile(sorted: readonly number[], part: number): number {
  const rank = (sorted.length - 1) * part;
  const low = sorted[Math.floor(rank)] ?? Number.NaN;
  const high = sorted[Math.ceil(rank)] ?? Number.NaN;
  return low + (high - low) * (rank - Math.floor(rank));
}

export type Unit = "µs" | "ms" | "B" | "MB" | "times" | "";

/** Two or three digits that mean something, with separators: 0.052, 3.81, 65,361. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  if (Math.abs(value) < 0.1) return String(Number(value.toPrecision(2)));
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** 1,350 µs are told as 1.35 ms. */
export function quantityText(value: number, unit: Unit): string {
  if (unit === "µs" && value >= 1_000) return `${numberText(value / 1_000)} ms`;
  if (unit === "ms" && value >= 1_000) return `${numberText(value / 1_000)} s`;
  return unit === "" ? numberText(value) : `${numberText(value)} ${unit}`;
}

/** How many times more the other one takes: 12.5×. */
export const ratioText = (ratio: number): string => `${numberText(ratio)}×`;
