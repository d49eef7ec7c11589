/** How much harm an operation can do, mildest first. The confirm threshold is one of these, or none. */
export const levels = ["harmless", "mostly-harmless", "average", "above-average", "dangerous"] as const;
export type Level = (typeof levels)[number];

/**
 * Jobs at this level and above wait for a person; `none` holds nothing. What is harmless is never held: it reads, or
 * fetches into our own state.
 */
export type Threshold = Level | "none";

export const isLevel = (text: string): text is Level => (levels as readonly string[]).includes(text);

/** Whether a job of `level` has to wait under `threshold`. */
export function heldBy(threshold: Threshold, level: Level): boolean {
  return threshold !== "none" && level !== "harmless" && levels.indexOf(level) >= levels.indexOf(threshold);
}
