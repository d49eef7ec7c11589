import { textOf } from "./drift.ts";
import type { Request, State } from "./state.ts";

/** Equal for two states just when everything that can still happen, and be counted, is equal. */
export const keyOf = (state: State): string =>
  `${targetOf(state)}|${storedOf(state)}|${processOf(state)}|${Object.values(state.left).join()}|${countedOf(state)}`;

// Only whether two versions are equal can matter: they are told by their distance from the target's.
const apart = ({ version }: State, other: string): string | number =>
  /^\d+$/.test(other) ? version - Number(other) : other;

function targetOf(state: State): string {
  const { running, version, motion, receipt, before, late, sent, head } = state;
  const request = (one: Request): string =>
    `${one.verb}${version - one.version},${one.value},${stampOf(one.stamp)},${one.wished},${one.lineage}`;
  const waits = sent === undefined ? "" : `${request(sent.request)},${sent.answer}`;
  const was = `${before.running},${stampOf(before.receipt)}`;
  return `${running}|${motion}|${stampOf(receipt)}|${was}|${late.map(request).join(";")}|${waits}|${head}`;
}

function storedOf(state: State): string {
  const { row, last, drift, adopted, epoch } = state;
  const version = row === undefined ? "" : apart(state, row.seenVersion);
  const open = row && `${row.id},${row.generation},${row.running},${row.state},${version},${row.wished},${row.before}`;
  const ended = last && `${last.id},${last.state},${last.generation},${last.digest}`;
  return `${open}|${ended}|${textOf(drift)}|${adopted}|${epoch}`;
}

function processOf(state: State): string {
  const { known, wishes, clear, cleared, seen, noted, rested, rests } = state;
  const look = seen && `${seen.running},${seen.motion},${apart(state, seen.version)},${stampOf(seen.receipt)}`;
  const wanted = `${wantedOf(wishes.current)}|${wantedOf(wishes.latest)}`;
  return `${known}|${wanted}|${clear}|${cleared}|${look}|${textOf(noted)}|${rested}|${rests}`;
}

const countedOf = ({ intents, lineage, landed, newestLanded, repeated, stale, untrue }: State): string =>
  `${intents}|${lineage}|${landed.join(";")}|${newestLanded}|${repeated}|${stale}|${untrue}`;

const stampOf = (stamp: State["receipt"]): string =>
  stamp === undefined ? "" : `${stamp.intent}.${stamp.generation}.${stamp.epoch}.${stamp.owner}`;
const wantedOf = (want: State["wishes"]["latest"]): string =>
  want === undefined ? "" : `${want.value},${want.generation},${want.forced},${want.repair}`;
