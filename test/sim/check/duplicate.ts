import type { Landing } from "../history.ts";
import { during, type History, type Since } from "../history.ts";
import { isOf, laneOf, tagLaneOf } from "../shapes.ts";
import type { World } from "../world.ts";
import type { Fault } from "./fault.ts";

/**
 * No second replacement for one wanted value: an intent moves its target once, and a value that was put there already
 * is put there again only when something else was wanted in between, or a person was at work there.
 */
export function duplicates({ history, shape }: World): readonly Fault[] {
  const faults: Fault[] = [];
  for (const followed of shape.branches) {
    const branch = `${followed.url} ${followed.branch}`;
    for (const lane of [tagLaneOf(followed), ...followed.services.map((one) => laneOf(one))]) {
      const moves = history.landings.filter((one) => one.lane === lane && one.replaced);
      const people = history.people.filter((act) => isOf(act, lane, followed));
      for (const [at, move] of moves.entries()) {
        const before = moves.slice(0, at);
        const what = repeated(history, branch, move, before, people);
        if (what !== undefined) faults.push({ checker: "duplicate", what: `${lane} at ${move.atMs}: ${what}` });
      }
    }
  }
  return faults;
}

function repeated(
  history: History,
  branch: string,
  move: Landing,
  before: readonly Landing[],
  people: readonly Since[],
): string | undefined {
  if (move.intent !== "" && before.some(({ intent }) => intent === move.intent)) return `intent ${move.intent} again`;
  const same = before.findLast(({ image }) => image === move.image);
  if (same === undefined) return undefined;
  const between = during(history.wanted, branch, same.sentMs, move.atMs);
  const byHand = people.some(({ atMs }) => atMs >= same.sentMs && atMs <= move.atMs);
  return byHand || new Set(between).size > 1 ? undefined : `${move.image} again, which was put there at ${same.atMs}`;
}
