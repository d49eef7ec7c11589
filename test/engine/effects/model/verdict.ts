import { type Bounds, BY_HAND, OLD, type State } from "./state.ts";
import { isDown } from "./target.ts";

/** Whether the target does not run in the end what it should. */
export function isWrong(bounds: Bounds, state: State): boolean {
  const newest = bounds.heads.at(-1) ?? "";
  const { running, motion, rests, row } = state;
  if (motion === "moving" || (row !== undefined && rests !== "hold")) return true;
  switch (rests) {
    case "as wanted":
      return running !== newest;
    case "down":
      return running !== newest || isGood(newest);
    case "give-up":
      return !(isGood(newest) ? touched(bounds) : isWhatWas(bounds, running));
    case "report":
      return !touched(bounds) || bounds.drift === "repair";
    case "adopted":
      return bounds.adopts === undefined;
    case "hold":
      return !mayHold(bounds, state);
    case "later":
    case "wait":
    case "nothing wanted":
    case undefined:
      return true;
  }
}

/** Whether something else is shown in the end than what is so. */
export const isHidden = ({ heads }: Bounds, { running, rests }: State): boolean =>
  rests !== "hold" && (rests === "as wanted") !== (running === heads.at(-1) && !isDown(running));

const isGood = (value: string): boolean => !/[!~?]$/.test(value);

/** Whether a person had a hand in it; whoever puts an old backup there has. */
const touched = ({ hands = 0, undos = 0, cancels = 0, restores = 0 }: Bounds): boolean =>
  hands + undos + cancels + restores > 0;

/** A foreign receipt, an old backup, or a change by hand that is to hold the lane. */
const mayHold = ({ bears, drift = "report" }: Bounds, { last, lineage, left, noted }: State): boolean => {
  const byHand = drift !== "report" && noted.held !== undefined && left.hands + left.undos === 0;
  return (bears === "another's" && last === undefined) || lineage > 0 || byHand;
};

/** What a value leaves behind that does not get healthy. */
const isWhatWas = ({ heads }: Bounds, running: string): boolean =>
  [OLD, BY_HAND].includes(running) || heads.some((head) => head === running && (isGood(head) || head.endsWith("~")));
