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
import type { Known } from "./wants.ts";

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
  const begun: [JobId, Write][] = [];
  engine.change({ kind: "person", subject: term, detail: "Rebuild was asked for" }, () => {
    const forced = state.wants.force(want, engine.events, state.newest);
    begun.push([job.forWanted(forced).id, state.drift.ask(forced)]);
  });
  waker.wake();
  const [only] = begun;
  if (only === undefined) return failure(problem("NOT_POSSIBLE", "Millrace is being stopped"));
  const [id, asked] = only;
  await engine.journal.save(asked);
  return success(id);
}

/** What there is to adopt: somebody else's receipt on a held target, or what somebody changed it to by hand. */
export function adoptable<Spec, W, Seen extends Observed, Ref>(
  state: LaneState<Spec, W, Seen, Ref>,
): "receipt" | "drift" | undefined {
  const { lastSeen } = state;
  if (lastSeen === undefined) return undefined;
  const { act } = nextAct({ ...state.situation(), seen: lastSeen });
  if (act === "hold" && lastSeen.receipt !== undefined) return "receipt";
  return (act === "drifted" || act === "repair") && lastSeen.running !== undefined ? "drift" : undefined;
}

/** Accepts what was seen on a target that somebody else has moved. */
export async function adoptSeen<Spec, W, Seen extends Observed, Ref>(
  engine: Engine,
  state: LaneState<Spec, W, Seen, Ref>,
  term: string,
  who: string,
): Promise<Result<void>> {
  switch (adoptable(state)) {
    case "receipt":
      return adoptReceipt(engine, state, who);
    case "drift":
      return adoptDrift(engine, state, who);
    case undefined:
      return failure(problem("NOT_POSSIBLE", `${term} is as Millrace left it, or is moved: there is nothing to adopt`));
  }
}

/** What runs takes the place of what is wanted, until a newer value is wanted. */
async function adoptDrift<Spec, W, Seen extends Observed, Ref>(
  engine: Engine,
  { wants, lastSeen, drift }: LaneState<Spec, W, Seen, Ref>,
  who: string,
): Promise<Result<void>> {
  const want = wants.current;
  const running = lastSeen?.running;
  if (want === undefined || running === undefined) return success(undefined);
  await engine.journal.save(drift.adopted({ ...pick(want), running, adoptedBy: who }));
  return success(undefined);
}

/** The number of a value, and what it is recognised by. */
const pick = ({ generation, digest }: Known): Known => ({ generation, digest });

/**
 * The receipt becomes the last one that we know, and our numbers are raised above it. An intent of our own that is open
 * ends with it: what is there now was written after it.
 */
async function adoptReceipt<Spec, W, Seen extends Observed, Ref>(
  engine: Engine,
  state: LaneState<Spec, W, Seen, Ref>,
  who: string,
): Promise<Result<void>> {
  const { intents, lastSeen } = state;
  const receipt = lastSeen?.receipt;
  if (receipt === undefined) return success(undefined);
  const end = { evidence: `adopted by ${who}`, endedMs: engine.clock.now() };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no job did it: a person did
  const row: IntentRow = { ...state.row(receipt, "adopted" as JobId), ...end, state: "verified" };
  const open: IntentRow[] = intents.row === undefined ? [] : [{ ...intents.row, ...end, state: "superseded" }];
  await engine.raiseEpoch(receipt.epoch);
  const settled = state.drift.adopted({ ...pick(receipt), running: lastSeen?.running ?? "", adoptedBy: who });
  await engine.journal.save(...[...open, row].map((intent): Write => ({ put: "intent", row: intent })), settled);
  intents.ended(row, "verified");
  state.wants.raiseAbove(receipt.generation);
  return success(undefined);
}
