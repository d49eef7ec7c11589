import { after, verdict } from "./explore.ts";
import { keyOf } from "./key.ts";
import { type Bounds, firstState, type State } from "./state.ts";

/** The shortest schedule with a fault, a line for each thing that happens: what it changes. Empty when there is none. */
export function firstFault(bounds: Bounds): readonly string[] {
  const first = firstState(bounds);
  const cameFrom = new Map<string, State | undefined>([[keyOf(first), undefined]]);
  const queue = [first];
  for (const state of queue) {
    const { next, ends } = after(bounds, state);
    if (ends && isFaulty(bounds, state)) return changesOf(pathTo(state, cameFrom));
    for (const one of next) {
      const key = keyOf(one);
      if (cameFrom.has(key)) continue;
      cameFrom.set(key, state);
      queue.push(one);
    }
  }
  return [];
}

function isFaulty(bounds: Bounds, state: State): boolean {
  const { schedules: _one, ...faults } = verdict(bounds, state);
  return Object.values(faults).some((count) => count > 0);
}

function pathTo(last: State, cameFrom: ReadonlyMap<string, State | undefined>): readonly State[] {
  const path: State[] = [];
  for (let state: State | undefined = last; state !== undefined; state = cameFrom.get(keyOf(state)))
    path.unshift(state);
  return path;
}

const changesOf = (path: readonly State[]): readonly string[] =>
  path.map((state, index) => {
    const before = new Map(Object.entries(path[index - 1] ?? {}).map(([name, value]) => [name, brief(value)]));
    const changed = Object.entries(state).filter(([name, value]) => brief(value) !== before.get(name));
    return changed.map(([name, value]) => `${name}=${brief(value)}`).join("  ");
  });

const brief = (value: unknown): string =>
  JSON.stringify(value, (name: string, part: unknown) =>
    name === "digest" || name === "evidence" ? undefined : part,
  ) ?? "nothing";
