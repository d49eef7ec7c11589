import type { Sql } from "./columns.ts";
import { JOB, writers } from "./tables.ts";

/** One commit. A closing one ends a job or moves an intent on: the reserve of a full disk is kept for those. */
export interface Batch {
  /** Of all its writes, as `encodeWrites` gives them. */
  readonly cells: readonly Sql[];
  readonly closing: boolean;
}

/** One write, ready to be bound. */
interface Bound {
  readonly writer: (typeof writers)[number];
  readonly number: number;
  cells: readonly Sql[];
}

/** The writes of a batch, in order. */
export function writesOf({ cells }: Batch): readonly Bound[] {
  const found: Bound[] = [];
  for (let at = 0; at < cells.length; ) {
    const number = Number(cells[at]);
    const writer = writers[number];
    if (writer === undefined) throw new Error(`there is no kind of write with the number ${String(cells[at])}`);
    const from = at + 1;
    at = from + writer.width;
    found.push({ writer, number, cells: cells.slice(from, at) });
  }
  return found;
}

/**
 * The writes of a group, in order. A job's row that is written more than once in the same transaction is written once:
 * with its newest content, at the place of its birth.
 */
export function newestOf(group: readonly Batch[]): readonly Bound[] {
  const all: Bound[] = [];
  const jobs = new Map<Sql | undefined, Bound>();
  for (const batch of group)
    for (const write of writesOf(batch)) {
      const earlier = write.number === JOB ? jobs.get(write.cells[0]) : undefined;
      if (earlier !== undefined) earlier.cells = write.cells;
      else all.push(write);
      if (write.number === JOB && earlier === undefined) jobs.set(write.cells[0], write);
    }
  return all;
}
