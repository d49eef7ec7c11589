import { failure, type Result, success } from "../../term/output.ts";
import type { Engine } from "../engine.ts";
import { problem } from "../errors.ts";
import type { JobId } from "../job.ts";
import type { IntentRow, Write } from "../store/store.ts";
import type { LaneJob } from "./lane-job.ts";
import type { LaneState } from "./lane-state.ts";
import { nextAct } from "./machine.ts";
import type { Observed } from "./target.ts";
import type { Waker } from "./waker.ts";

/** Wants the wanted value of a lane again, as a new generation; answers the job that does it. */
export async function forceWanted<Spec, W, Seen extends Observed, Ref>(
  engine: Engine,
  state: LaneState<Spec, W, Seen, Ref>,
  job: LaneJob,
  waker: Waker,
  term: string,
): Promise<Result<JobId>> {
  const want = state.wants.current;
  if (job.current !== undefined || state.intents.row !== undefined)
    return failure(problem("NOT_POSSIBLE", `a deploy of ${term} is under way`));
  if (want === undefined)
    return failure(problem("NOT_POSSIBLE", "nothing is wanted at the moment: an input is not ready"));
  const begun: JobId[] = [];
  engine.change({ kind: "person", subject: term, detail: "Rebuild was asked for" }, () => {
    const events = engine.events.map(({ id }) => id);
    begun.push(job.for(state.wants.force(want, events, state.intents.newest)).id);
  });
  waker.wake();
  const [id] = begun;
  return id === undefined ? failure(problem("NOT_POSSIBLE", "Millrace is being stopped")) : success(id);
}

/**
 * Accepts what was seen on a held target: its receipt becomes the last one that we know, and our numbers are raised
 * above it. An intent of our own that is open ends with it: what is there now was written after it.
 */
export async function adoptSeen<Spec, W, Seen extends Observed, Ref>(
  engine: Engine,
  state: LaneState<Spec, W, Seen, Ref>,
  term: string,
  who: string,
): Promise<Result<void>> {
  const { intents, lastSeen } = state;
  const receipt = lastSeen?.receipt;
  if (receipt === undefined || nextAct({ ...state.situation(), seen: lastSeen }).act !== "hold")
    return failure(problem("NOT_POSSIBLE", `${term} is not held: there is nothing to adopt`));
  const end = { evidence: `adopted by ${who}`, endedMs: engine.clock.now() };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no job did it: a person did
  const row: IntentRow = { ...state.row(receipt, "adopted" as JobId), ...end, state: "verified" };
  const open: IntentRow[] = intents.row === undefined ? [] : [{ ...intents.row, ...end, state: "superseded" }];
  await engine.raiseEpoch(receipt.epoch);
  await engine.journal.save(...[...open, row].map((intent): Write => ({ put: "intent", row: intent })));
  intents.ended(row, "verified");
  state.wants.raiseAbove(receipt.generation);
  return success(undefined);
}
