import type { Failure } from "../../term/output.ts";
import { problem } from "../errors.ts";
import type { RunningJob } from "../running-job.ts";
import type { IntentRow } from "../store/store.ts";
import { endingFailure } from "./intents.ts";
import { type LaneCore, MOVING_MS } from "./lane-core.ts";
import type { Ending } from "./machine.ts";
import type { Applied, Observed } from "./target.ts";

/** The way of an intent: recorded, written through the target kind, followed, and ended. */
export class LaneIntent<Spec, W, Seen extends Observed, Ref> {
  readonly #core: LaneCore<Spec, W, Seen, Ref>;

  constructor(core: LaneCore<Spec, W, Seen, Ref>) {
    this.#core = core;
  }

  async plan(): Promise<void> {
    const { want, kind, spec, state } = this.#core;
    const job = this.#core.job.current;
    if (job === undefined) return this.#unprepared();
    if (want === undefined || state.seen === undefined) return;
    this.#core.job.seal();
    for (const { field, before, after } of kind.plan(spec, state.seen, want.value))
      job.log(`${field}: ${before} → ${after}`);
    const row = state.newRow(want, job.id);
    const drift = state.drift.begun(want.forced ? "forced" : want.repair === true ? "repair" : "wanted");
    const wanted = kind.wanted.encode(want.value);
    await state.intents.save({ ...row, wanted, seenVersion: state.seen.version }, ...drift);
    state.intents.clear = true;
  }

  /**
   * The job that was cleared for this has ended in between, when the lane was held say: without one nothing is written. It
   * is prepared anew, head and fence too, since that may be long ago.
   */
  #unprepared(): void {
    const { state } = this.#core;
    state.cleared = undefined;
    state.intents.clear = false;
  }

  /** The write that moves the target, or the one that only makes earlier writes fail. */
  async write(verb: "apply" | "fence"): Promise<void> {
    const { kind, spec, state } = this.#core;
    const { row } = state.intents;
    const job = this.#core.job.current;
    const { seen } = state;
    const wanted = row === undefined ? undefined : kind.wanted.decode(row.wanted);
    if (job === undefined) return this.#unprepared();
    if (row === undefined || seen === undefined) return;
    if (wanted === undefined) return this.end("failed", "the recorded value cannot be read: an older version wrote it");
    this.#core.job.seal();
    // Durable first; what is wanted may have changed by then, so that it is decided anew.
    if (seen.version !== row.seenVersion) return state.intents.save({ ...row, seenVersion: seen.version });
    state.seen = undefined;
    const stamp = state.stamp(row.id, row);
    const applied =
      verb === "apply" ? await kind.apply(spec, seen, wanted, stamp, job) : await kind.fence(spec, seen, stamp, job);
    if (verb === "apply" || applied.state !== "applied") return this.#written(row, applied);
    job.log("Fenced: whatever an earlier run sent fails from now on");
    state.intents.clear = true;
  }

  async #written(row: IntentRow, applied: Applied<Ref>): Promise<void> {
    const { kind, state, job } = this.#core;
    switch (applied.state) {
      case "applied":
        return state.intents.save({ ...row, state: "applied", ref: kind.ref.encode(applied.ref) });
      case "conflict":
        job.log(`Somebody else wrote in between (${applied.detail}): looking again`);
        return this.#core.sleep(MOVING_MS);
      case "refused":
        if (job.interrupted) return; // not the target: the process ends, and the next one takes the intent up
        return this.end("failed", applied.error.message, applied.error);
      case "unknown":
        job.log(`Whether the change is in is not known (${applied.detail}): looking again`);
        state.intents.clear = false;
        state.cleared = undefined; // before it is sent again the head is read again: that may be long after
        await state.intents.save({ ...row, state: "unknown" });
        return this.#core.sleep(MOVING_MS);
    }
  }

  /** A write of this or an earlier process is found on the target: it is followed, not repeated. */
  async adopt(): Promise<void> {
    const { intents, seen } = this.#core.state;
    const { row } = intents;
    if (row === undefined || seen === undefined) return;
    const job = await this.#follow(row);
    job.log("The change is found on the target: it is followed, not repeated");
    await intents.save({ ...row, state: "applied", ref: seen.ref });
  }

  /** The job that follows an open intent; a new one after a restart. It changes nothing, so no threshold holds it. */
  async #follow(row: IntentRow): Promise<RunningJob> {
    const { engine, state } = this.#core;
    const running = state.runningOf(row);
    const events = engine.store.queries.job(row.job)?.events ?? [];
    const job = this.#core.job.for({ generation: row.generation, running, events, ...state.resumes() });
    this.#core.job.seal();
    await this.#core.job.started(job, "harmless");
    return job;
  }

  async settle(): Promise<void> {
    const { kind, spec, state } = this.#core;
    const { row } = state.intents;
    if (row === undefined) return;
    const job = await this.#follow(row);
    const ref = kind.ref.decode(row.ref);
    if (ref === undefined)
      return this.end("failed", "the record of the change cannot be read: an older version wrote it");
    const settled = await kind.settle(spec, ref, job);
    state.seen = undefined;
    if (this.#core.job.interrupted) return;
    if (settled.state === "unreachable") return this.#core.unreachable("settling", settled.error);
    return this.end(settled.state === "healthy" ? "verified" : settled.state, settled.evidence);
  }

  async end(state: Ending["state"], evidence: string, error?: Failure): Promise<void> {
    const { row } = this.#core.state.intents;
    if (row !== undefined) await this.#close({ ...row, state, evidence }, state, error);
  }

  /** Cancelled by a person before there was an intent: recorded as one, so that a restart does not try it either. */
  async cancelled(job: RunningJob, error: Failure): Promise<void> {
    const { want, state, kind } = this.#core;
    if (want === undefined) return;
    const row: IntentRow = { ...state.newRow(want, job.id), wanted: kind.wanted.encode(want.value) };
    await this.#close({ ...row, state: "failed", evidence: job.row.note ?? error.message }, "failed", error, false);
  }

  /** Commits an ending and that of its job in one transaction. */
  async #close(row: IntentRow, state: Ending["state"], error?: Failure, sent = true): Promise<void> {
    const { engine, state: known, job, face } = this.#core;
    const ended: IntentRow = { ...row, endedMs: engine.clock.now() };
    const evidence = row.evidence ?? "";
    const reason = state === "verified" ? undefined : (error ?? endingFailure({ state, evidence }));
    const { generation, digest } = row;
    const value = { generation, digest, running: known.runningOf(row) };
    const left = sent ? [known.drift.ended(state === "verified", row.before, value)] : [];
    await job.end(reason, { put: "intent", row: ended }, ...left);
    known.intents.ended(ended, state);
    if (sent) this.#core.health.ended(state);
    known.wants.tried(row.generation);
    known.cleared = undefined;
    known.seen = undefined;
    this.#core.answered("settling"); // or it is over without an answer: the next change is another one
    face.tell({ kind: "job", subject: row.job, detail: `deploy ${state}: ${evidence.split("\n")[0] ?? ""}` });
  }

  /** The process ends: the intent stays open, and the next process takes it up. */
  async interrupted(): Promise<void> {
    this.#core.stopped = true;
    await this.#core.job.end(
      problem("INTERRUPTED", "Millrace ends; what was sent goes on and is followed after the restart"),
    );
  }
}
