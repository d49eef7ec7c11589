import type { Failure } from "../../term/output.ts";
import { problem } from "../errors.ts";
import type { JobId } from "../job.ts";
import type { Journal } from "../journal.ts";
import type { IntentRow, Write } from "../store/store.ts";
import { type Act, type Ending, isOpen, type OpenIntent } from "./machine.ts";
import type { Stamp } from "./target.ts";

/** How the last intent ended, with the job that saw it. */
export interface Ended extends Ending {
  readonly job: IntentRow["job"];
  readonly endedMs: number;
}

/** The open intent of a lane and the ending of the last one; every change of it is durable first. */
export class Intents {
  row: IntentRow | undefined;
  last: Ended | undefined;
  /** No earlier write of the open intent can still be in flight. */
  clear = false;
  readonly #journal: Journal;

  constructor(journal: Journal, stored: IntentRow | undefined) {
    this.#journal = journal;
    if (stored === undefined) return;
    if (isOpen(stored.state)) this.row = stored;
    else this.last = endedOf(stored, stored.state);
  }

  /** The newest that is known, open or not. */
  get newest(): { readonly generation: number; readonly digest: string } | undefined {
    return this.row ?? this.last;
  }

  /** The open one as the machine sees it. */
  open(running: (row: IntentRow) => string): OpenIntent | undefined {
    const { row } = this;
    if (row === undefined || !isOpen(row.state)) return undefined;
    const { id, digest, generation, state, seenVersion } = row;
    return { id, digest, generation, running: running(row), state, seenVersion, clear: this.clear };
  }

  /** `writes` become durable in the same transaction. */
  async save(row: IntentRow, ...writes: readonly Write[]): Promise<void> {
    await this.#journal.save({ put: "intent", row }, ...writes);
    this.row = row;
  }

  /** Notes an ending that is durable already. */
  ended(row: IntentRow, state: Ending["state"]): Ended {
    this.row = undefined;
    this.clear = false;
    this.last = endedOf(row, state);
    return this.last;
  }
}

const endedOf = (row: IntentRow, state: Ending["state"]): Ended => ({
  id: row.id,
  state,
  generation: row.generation,
  digest: row.digest,
  evidence: row.evidence ?? "",
  job: row.job,
  endedMs: row.endedMs ?? row.createdMs,
});

export function endingFailure({ state, evidence }: Pick<Ending, "state" | "evidence">): Failure {
  if (state === "rolled-back") return problem("ROLLED_BACK", `rolled back: ${evidence}`);
  if (state === "superseded") return problem("SUPERSEDED", evidence);
  return problem("DEPLOY_FAILED", evidence);
}

/** Why a lane does nothing although something else is wanted. */
export function troubleOf(
  act: Extract<Act, { act: "hold" | "drifted" | "give-up" | "down" }>,
  target: string,
): Failure {
  switch (act.act) {
    case "hold":
      return problem("HELD", `${target} is held: ${act.why}`);
    case "drifted": {
      const difference = `${act.why}: it runs ${act.runs}, wanted is ${act.wanted}`;
      if (act.reaction === "hold") return problem("DRIFT_HELD", `${target} is held: ${difference}`);
      return problem("DRIFTED", `${target}: ${difference}`);
    }
    case "give-up":
      return endingFailure(act.ending);
    case "down":
      return problem("TARGET_DOWN", `${target} does not run as it should: ${act.why}`);
  }
}

/** A planned intent, still without its wanted value and the version that was seen. */
export function newIntent(
  of: Pick<IntentRow, "lane" | "kind" | "term" | "before">,
  stamp: Stamp,
  job: JobId,
  createdMs: number,
): IntentRow {
  return {
    ...of,
    id: stamp.intent,
    job,
    generation: stamp.generation,
    epoch: stamp.epoch,
    wanted: null,
    digest: stamp.digest,
    seenVersion: "",
    state: "planned",
    ref: null,
    evidence: null,
    createdMs,
    endedMs: null,
  };
}
