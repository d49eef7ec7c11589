import type { Bounds, Planted } from "./state.ts";

/** Two deaths, an answer that is lost, and a process that hears late of each head: anywhere, in any order. */
const worst: Omit<Bounds, "heads"> = { crashes: 2, lost: 1, builds: true };
/** The same with less of it, where people have a hand in it. */
const bad: Omit<Bounds, "heads"> = { crashes: 1, lost: 1 };

/** What is gone through, schedule by schedule. */
export const histories: readonly Bounds[] = [
  { heads: ["A"], crashes: 2, lost: 2, builds: true },
  { heads: ["A", "B"], ...worst },
  { heads: ["A", "B"], ...bad, bears: "our" },
  { heads: ["A", "B", "A"], ...worst },
  { heads: ["A", "B!"], ...worst },
  { heads: ["A!", "B"], ...worst },
  { heads: ["A", "A!", "A"], ...worst, builds: false },
  { heads: ["A", "B~"], ...worst },
  { heads: ["A~", "B"], ...worst },
  { heads: ["A~", "B", "A~"], ...bad },
  { heads: ["A", "B?"], ...worst },
  { heads: ["A?", "B"], ...worst },
  { heads: ["A", "B"], ...bad, outages: 1 },
  { heads: ["A", "B"], ...bad, presses: 1 },
  { heads: ["A", "B"], ...bad, cancels: 1 },
  { heads: ["A", "B"], ...bad, hands: 1, drift: "report" },
  { heads: ["A", "B"], ...bad, hands: 1, drift: "hold" },
  { heads: ["A", "B"], ...bad, hands: 1, drift: "hold", adopts: 1 },
  { heads: ["A", "B"], ...bad, hands: 1, drift: "repair" },
  { heads: ["A"], crashes: 1, hands: 4, drift: "repair" },
  { heads: ["A", "B"], ...bad, undos: 1, drift: "report" },
  { heads: ["A", "B"], ...bad, undos: 1, drift: "hold" },
  { heads: ["A", "B"], ...bad, undos: 1, drift: "repair" },
  { heads: ["A", "B"], ...bad, bears: "another's" },
  { heads: ["A", "B"], ...bad, bears: "another's", adopts: 1 },
  { heads: ["A!", "B"], ...bad, bears: "another's", adopts: 1 },
  { heads: ["A", "B"], ...bad, restores: 1 },
  { heads: ["A", "B", "A"], lost: 1, restores: 1, adopts: 1 },
];

/** Those whose every schedule is run to its end by itself. */
export const oneByOne: readonly Bounds[] = [
  { heads: ["A"], crashes: 1, lost: 1 },
  { heads: ["A", "B"], crashes: 2 },
];

/** One for each thing that may happen, small enough to be gone through in both ways. */
export const small: readonly Bounds[] = [
  { heads: ["A", "B!"], crashes: 1 },
  { heads: ["A~"], crashes: 1, outages: 1 },
  { heads: ["A?"], lost: 1, builds: true },
  { heads: ["A"], lost: 1, restores: 1 },
  { heads: ["A"], crashes: 1, cancels: 1 },
  { heads: ["A"], lost: 1, presses: 1 },
  { heads: ["A"], crashes: 1, hands: 1, drift: "repair" },
  { heads: ["A"], lost: 1, hands: 1, drift: "hold", adopts: 1 },
  { heads: ["A"], crashes: 1, undos: 1 },
  { heads: ["A"], crashes: 1, builds: true, bears: "another's", adopts: 1 },
  { heads: ["A", "B"], crashes: 1, guard: "none" },
];

/** What is taken out, and where it shows. */
export const planted: Readonly<Record<Planted, Bounds>> = {
  "no fence": { heads: ["A", "B", "A"], ...bad, planted: "no fence" },
  "no compare-and-set": { heads: ["A", "B", "A"], ...bad, planted: "no compare-and-set" },
  "no intent record": { heads: ["A", "B", "A"], ...bad, planted: "no intent record" },
  "exit status": { heads: ["A", "B!"], ...bad, planted: "exit status" },
};

/** A tag of a registry: nothing is compared, and there is no receipt. */
export const tag: Bounds = { heads: ["A", "B"], guard: "none" };

/** What may happen in a history, in words. */
export function tell(bounds: Bounds): string {
  const { crashes = 0, lost = 0, hands = 0, undos = 0, outages = 0, presses = 0 } = bounds;
  const { cancels = 0, adopts = 0, restores = 0, builds, bears, drift, guard } = bounds;
  return [
    several(crashes, "death"),
    several(lost, "lost answer"),
    several(outages, "outage while it moves"),
    builds === true ? "heads are heard of late" : "",
    bears === undefined ? "" : `bears ${bears} receipt`,
    several(hands, "change by hand"),
    several(undos, "roll-back by hand"),
    several(presses, "Rebuild"),
    several(cancels, "Cancel"),
    several(adopts, "adoption"),
    several(restores, "old backup"),
    drift === undefined ? "" : `drift: ${drift}`,
    guard === "none" ? "a tag" : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

const several = (times: number, what: string): string => {
  if (times < 2) return times === 0 ? "" : what;
  return what.startsWith("change") ? `${times} changes by hand` : `${times} ${what}s`;
};
