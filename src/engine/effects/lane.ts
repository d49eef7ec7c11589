import type { Failure, Result } from "../../term/output.ts";
import type { Engine } from "../engine.ts";
import { problem } from "../errors.ts";
import type { JobId } from "../job.ts";
import type { RunningJob } from "../running-job.ts";
import { type Ended, troubleOf } from "./intents.ts";
import { adoptable, adoptSeen, forceWanted } from "./lane-by-hand.ts";
import { LaneCore, type LaneOptions, MOVING_MS, REST_MS } from "./lane-core.ts";
import { adoptedText, repairDrift, showDrift } from "./lane-drift.ts";
import type { LaneFace } from "./lane-face.ts";
import { LaneIntent } from "./lane-intent.ts";
import { type Act, nextAct } from "./machine.ts";
import type { Lane, Observed, TargetKind } from "./target.ts";
import type { Wanted } from "./wants.ts";

/**
 * The queue of one target, at most one intent long.
 *
 * `nextAct` (machine.ts) decides; this class carries out: it observes, waits, shows the state, and hands what an intent
 * needs to `LaneIntent`. The newest wanted value runs next, the ones between are skipped.
 */
export class TargetLane<Spec, W, Seen extends Observed, Ref> {
  readonly #core: LaneCore<Spec, W, Seen, Ref>;
  readonly #intent: LaneIntent<Spec, W, Seen, Ref>;
  readonly #rebuilder: string;

  constructor(engine: Engine, kind: TargetKind<Spec, W, Seen, Ref>, spec: Spec, options: LaneOptions) {
    this.#core = new LaneCore(engine, kind, spec, options);
    this.#intent = new LaneIntent(this.#core);
    this.#rebuilder = `${kind.kind} ${this.name}`;
    engine.jobs.rebuilders.set(this.#rebuilder, () => this.force());
  }

  get name(): Lane {
    return this.#core.name;
  }
  get kind(): TargetKind<Spec, W, Seen, Ref> {
    return this.#core.kind;
  }
  get spec(): Spec {
    return this.#core.spec;
  }
  get options(): LaneOptions {
    return this.#core.options;
  }
  get lastSeen(): Seen | undefined {
    return this.#core.state.lastSeen;
  }
  get answer(): LaneFace["answer"] {
    return this.#core.face.answer;
  }
  get last(): Ended | undefined {
    return this.#core.state.intents.last;
  }
  get want(): Wanted<W> | undefined {
    return this.#core.want;
  }
  /** Whether this generation was brought to the target; else it ran there already, or does not yet. */
  rolledOut(generation: number): boolean {
    return this.last?.state === "verified" && this.last.generation === generation;
  }
  get asleep(): boolean {
    return this.#core.waker.asleep;
  }
  /** Why there is nothing to move; undefined when there is, or it is not known. */
  missing(): Failure | undefined {
    const { kind, spec, lastSeen } = this;
    if (lastSeen === undefined || lastSeen.exists) return undefined;
    return kind.missing?.(spec, lastSeen) ?? problem("NO_TARGET", `there is no ${kind.describe(spec)}`);
  }
  /** Why what is wanted does not run though it is there, from the first look on; undefined when it does, or it is not known. */
  down(): Failure | undefined {
    if (this.lastSeen === undefined) return undefined;
    const act = nextAct({ ...this.#core.state.situation(), seen: this.lastSeen });
    return act.act === "down" ? troubleOf(act, this.kind.describe(this.spec)) : undefined;
  }
  get openJob(): JobId | undefined {
    return this.#core.job.id;
  }

  start(): void {
    this.#core.engine.background(async () => {
      while (!this.#core.stopped) await this.#next();
      await this.#core.job.end(problem("INTERRUPTED", `${this.options.term} is not followed any more`));
    });
  }

  /** The process or the term ends: what was sent is not followed any more, what was not is not sent. */
  stop(): void {
    this.#core.stopped = true;
    this.#core.engine.jobs.rebuilders.delete(this.#rebuilder);
    this.#core.job.leave();
    this.#core.waker.wake();
  }

  async #next(): Promise<void> {
    this.#core.waker.attend();
    const job = this.#core.job.current;
    if (job?.stopped === undefined) return this.#carryOut(nextAct(this.#core.state.situation()));
    return this.#jobStopped(job, job.stopReason());
  }

  /** Sets the newest wanted value; undefined while it is not known. Call inside a step. */
  wanted(value: W | undefined): void {
    const { engine, state, job, waker } = this.#core;
    state.wants.set(value, engine.events, state.newest);
    job.supersede(this.want?.generation);
    waker.wake();
  }

  /** Rebuild: the wanted value is applied (again), as a new generation. */
  async force(): Promise<Result<JobId>> {
    const { engine, state, job, waker } = this.#core;
    return forceWanted(engine, state, job, waker, this.options.term);
  }

  /** Whether there is something on the target to accept. */
  get adoptable(): boolean {
    return adoptable(this.#core.state) !== undefined;
  }

  /** Accepts what somebody else put on the target. */
  async adopt(who: string): Promise<Result<void>> {
    const { engine, state, waker, face } = this.#core;
    const adopted = await adoptSeen(engine, state, this.options.term, who);
    if (adopted.ok) face.tell({ kind: "person", subject: this.options.term, detail: `adopted by ${who}` });
    waker.wake();
    return adopted;
  }

  async #carryOut(act: Act): Promise<void> {
    switch (act.act) {
      case "observe":
        return this.#core.observe();
      case "rest":
        return act.why === "nothing wanted" ? this.#restUnwanted() : this.#restSettled(act.why);
      case "wait":
        return this.#wait(act.why);
      case "missing":
        return this.#core.trouble(this.missing() ?? problem("NO_TARGET", `there is no ${this.name}`));
      case "drifted":
        return showDrift(this.#core, act);
      case "repair":
        return repairDrift(this.#core, act);
      case "down":
        return this.#down(act);
      case "hold":
      case "give-up":
        return this.#core.trouble(troubleOf(act, this.kind.describe(this.spec)));
      case "clear":
        return this.#clear(act.generation);
      case "plan":
        return this.#intent.plan();
      case "apply":
      case "fence":
        return this.#intent.write(act.act);
      case "adopt":
        return this.#intent.adopt();
      case "settle":
        return this.#intent.settle();
      case "end":
        return this.#intent.end(act.state, act.evidence);
    }
  }

  /** What is wanted runs, or what a person accepted in its place. */
  async #restSettled(why: "as wanted" | "adopted"): Promise<void> {
    const { want } = this;
    const { state, job, face } = this.#core;
    if (want === undefined) return;
    if (!this.#core.health.runs) return this.#core.sleep(MOVING_MS); // what is shown stays until it has lasted
    const running = state.seen?.running ?? "";
    if (why === "as wanted") this.#bears(want);
    else this.#core.noticed = undefined;
    const detail = why === "as wanted" ? this.#evidence(want, running) : adoptedText(state.drift, want);
    job.log(`Cut off: ${detail}`);
    await this.#core.endJob(undefined);
    face.ok({ running, generation: want.generation }, detail, want.events);
    await this.#core.sleep(REST_MS);
  }

  /** It is not acted upon: whoever runs the target is about to start it again, or cannot. */
  async #down(act: Extract<Act, { act: "down" }>): Promise<void> {
    const { health, face, state } = this.#core;
    const { want } = this;
    if (want !== undefined && want.running === state.seen?.running) this.#bears(want);
    if (health.isDown) return this.#core.trouble(troubleOf(act, this.kind.describe(this.spec)));
    face.active("running", act.why);
    return this.#core.sleep(MOVING_MS);
  }

  /** The target is meant to run what is wanted, as far as it tells: nobody has changed it by hand, or not any more. */
  #bears({ generation, digest, running }: Wanted<W>): void {
    this.#core.noticed = undefined;
    this.#core.state.drift.settle({ generation, digest, running });
  }

  /** How it came about that the target runs what is wanted. */
  #evidence({ generation, again }: Wanted<W>, running: string): string {
    const { last } = this;
    if (last?.state === "verified" && last.generation === generation && again === undefined) return last.evidence;
    return `not rolled out: the content is equal, ${running} runs already`;
  }

  async #restUnwanted(): Promise<void> {
    const { face } = this.#core;
    await this.#core.endJob(problem("SUPERSEDED", "it is not wanted any more"));
    face.active("ready", face.answer.latest.metadata.detail); // should it be wanted again, that it runs is to be seen first
    await this.#core.observe(); // what pages say of it stays true
    await this.#core.sleep(REST_MS);
  }

  async #wait(why: string): Promise<void> {
    this.#core.face.active("running", why);
    await this.#core.sleep(MOVING_MS);
  }

  /** Threshold, then the head: only the newest wanted value of a head that was just read may act. */
  async #clear(generation: number): Promise<void> {
    const { want } = this;
    const { job, state } = this.#core;
    if (want?.generation !== generation) return;
    // What is wanted may be another value by the time it has ended: then it is decided anew.
    if (job.current !== undefined && job.generation !== generation)
      return this.#core.endJob(problem("SUPERSEDED", "a newer value is wanted"));
    const begun = job.forWanted(want, state.resumes());
    const started = await job.started(begun, this.kind.level);
    if (!started.ok) return this.#jobStopped(begun, started.error);
    const fresh = await this.options.fresh(want.running);
    state.seen = undefined;
    const wanted = this.want?.generation === generation; // reading may have brought a newer value
    state.cleared = wanted && fresh.ok ? generation : undefined;
    if (fresh.ok) this.#core.answered("head");
    if (fresh.ok || !wanted) return;
    if (fresh.error.class === "system") await this.#core.trouble(fresh.error);
    else
      await this.#core.unreachable("head", {
        ...fresh.error,
        message: `not deployed while the head cannot be read: ${fresh.error.message}`,
      });
  }

  /** The job was stopped before anything was sent. */
  async #jobStopped(job: RunningJob, error: Failure): Promise<void> {
    const { want } = this;
    if (this.#core.job.interrupted) return this.#intent.interrupted();
    if (want === undefined) return this.#core.endJob(error);
    if (this.#core.stopped || want.generation !== this.#core.job.generation)
      return this.#core.endJob(problem("SUPERSEDED", "a newer value is wanted"));
    if (this.#core.state.intents.row !== undefined) return this.#core.trouble(error);
    await this.#intent.cancelled(job, error);
  }
}
