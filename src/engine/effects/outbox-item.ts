import type { Subscription } from "rxjs";
import { Variable } from "../../incr/index.ts";
import { active, type Failure, failed, type Output, ok } from "../../term/output.ts";
import { type Answer, sameAnswer } from "../../term/term.ts";
import { digestOf } from "../cache/digest.ts";
import type { Json } from "../json.ts";
import type { OutboxRow } from "../store/store.ts";
import { Doubts } from "./outbox-doubts.ts";
import { KEPT_MS, type Keeper } from "./outbox-keeper.ts";
import { type Confirmed, confirmedJson, sentOf } from "./outbox-row.ts";
import { sendOnce } from "./outbox-send.ts";
import { Patience } from "./patience.ts";
import type { Sender, Told } from "./sender.ts";

/** How long a key may be without a user before it counts as abandoned: a source may be read anew meanwhile. */
const ABANDONED_MS = 60_000;
/** After a restart its user may come late: the source may be out of reach. */
const ABANDONED_AT_START_MS = 15 * 60_000;

interface Wanted<Want> {
  readonly value: Want;
  readonly digest: string;
  readonly sinceMs: number;
}

/**
 * One key of the outbox.
 *
 *   at rest ── want (another value) ──▶ due ── its time comes ──▶ sending ── confirmed, still newest ──▶ at rest
 *                                        ▲                          │
 *                                        └── transient, or a newer value
 *   sending ── refused ──▶ refused ── its time comes, or the wanted value changes ──▶ due
 *
 * The wanted value is durable before it is sent. At most one send at a time: a newer value waits for the answer, or
 * until the send is given up. What was given up may still land; then the newest is sent once more (an "echo").
 */
export class OutboxItem<Want> {
  readonly key: string;
  readonly answer: Variable<Answer<Json>>;
  readonly #keeper: Keeper;
  readonly #sender: Sender<Want>;
  #want: Wanted<Want> | undefined;
  #confirmed: Confirmed | undefined;
  #told: Output<Json> | undefined;
  readonly #doubts: Doubts;
  readonly #patience: Patience;
  #queued = false;
  /** What is being sent right now. */
  #flying: Wanted<Want> | undefined;
  /** What is being sent may be undone by the time it is confirmed: see `again`. */
  #outdated = false;
  #timer: Subscription | undefined;
  #abandon: Subscription | undefined;
  #users = 0;
  #saved: Promise<void> = Promise.resolve();
  #unsaved = 0;
  /** When somebody wanted it, as far as that is recorded. */
  #wantedMs = 0;
  /** Since when what is wanted has not been confirmed, by the clock that nobody sets. */
  #waitsSinceMs: number | undefined;

  constructor(keeper: Keeper, sender: Sender<Want>, key: string, row: OutboxRow | undefined) {
    this.key = key;
    this.#keeper = keeper;
    this.#sender = sender;
    this.#patience = new Patience(keeper.engine);
    this.#doubts = new Doubts(sender.overwrites === true);
    if (row !== undefined) this.#restore(row);
    const { graph } = keeper.engine.world;
    this.answer = graph.within(graph.root, () => new Variable<Answer<Json>>(graph, this.#now(), sameAnswer));
  }

  #restore(row: OutboxRow): void {
    const { confirmed, doubts } = sentOf(row);
    const value = this.#sender.want.decode(row.want);
    const { clock } = this.#keeper.engine;
    const nowMs = clock.elapsed();
    this.#wantedMs = row.wantedMs;
    this.#confirmed = confirmed;
    if (confirmed !== undefined) this.#told = ok(confirmed.kept);
    for (const doubt of doubts) this.#doubts.add(doubt, nowMs);
    if (value === undefined) return; // an older version wrote it: what is wanted now will come
    this.#want = { value, digest: digestOf(row.want), sinceMs: nowMs };
    if (this.pending) this.#waitsSinceMs = nowMs - Math.max(0, clock.now() - (row.waitsSinceMs || clock.now()));
    if (row.nextMs > 0 && this.pending) this.#doubts.add(this.#want.digest, nowMs);
  }

  /** Whether the newest wanted value is not confirmed yet. */
  get pending(): boolean {
    return this.#want !== undefined && this.#want.digest !== this.#confirmed?.digest;
  }

  get trouble(): Failure | undefined {
    return this.#patience.failure;
  }

  /** For how long what is wanted has not been confirmed, in milliseconds; 0 when it is. */
  get waitsMs(): number {
    return this.#waitsSinceMs === undefined ? 0 : this.#keeper.engine.clock.elapsed() - this.#waitsSinceMs;
  }

  /** After a restart: goes on with what was left. */
  resume(): void {
    this.#arm();
    this.#watchUsers(ABANDONED_AT_START_MS);
  }

  acquire(): void {
    this.#users += 1;
    this.#abandon?.unsubscribe();
    this.touch(0.75 * KEPT_MS); // after a long rest: it might be forgotten this very hour
  }

  /** Records that it is still wanted, if it is and that was last recorded so long ago; whether it was done. */
  touch(afterMs: number): boolean {
    const nowMs = this.#keeper.engine.clock.now();
    if (this.#users === 0 || nowMs - this.#wantedMs < afterMs) return false;
    this.#wantedMs = nowMs;
    this.#save();
    return true;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#watchUsers(ABANDONED_MS);
  }

  /** Sets the newest wanted value. May be called inside a step. */
  want(value: Want): void {
    this.#set(value, this.#keeper.engine.clock.now());
  }

  #set(value: Want, wantedMs: number): void {
    const json = this.#sender.want.encode(value);
    const digest = digestOf(json);
    if (digest === this.#want?.digest) return this.#arm(); // it may have been given up
    const nowMs = this.#keeper.engine.clock.elapsed();
    const waited = this.pending && this.#want !== this.#flying ? this.#want?.sinceMs : undefined;
    this.#want = { value, digest, sinceMs: waited ?? nowMs };
    this.#wantedMs = wantedMs;
    if (this.#patience.refused) this.#patience.forgive();
    this.#save();
    this.#plan();
    this.answer.set(this.#now());
  }

  /** What was confirmed does not hold any more: it is sent once more. */
  again(): void {
    this.#outdated = this.#flying !== undefined;
    if (this.#confirmed !== undefined) this.#confirmed = { ...this.#confirmed, digest: "" };
    this.#told = undefined;
    this.#patience.forgive();
    this.#save();
    this.#plan();
    this.#publish();
  }

  /** What was refused is sent now: a right may have been granted since. What is under way finds that out by itself. */
  retryRefused(): void {
    if (this.#queued || !this.pending || !this.#patience.refused) return;
    this.#patience.forgive();
    this.#plan();
    this.#publish();
  }

  /** Plans anew: what was planned may be a repetition much later. */
  #plan(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#arm();
  }

  /** Plans what comes next; nothing while something is under way. */
  #arm(): void {
    if (this.#queued || this.#timer !== undefined || this.#keeper.signal.aborted) return;
    const dueMs = this.#dueMs();
    if (dueMs === undefined) return this.#rest();
    const { engine } = this.#keeper;
    const delayMs = Math.max(0, dueMs - engine.clock.elapsed());
    this.#timer = engine.clock.after(delayMs, () => {
      this.#timer = undefined;
      engine.background(() => this.#send());
    });
  }

  /** When to send next; undefined when there is nothing to send. */
  #dueMs(): number | undefined {
    if (this.#want === undefined) return undefined;
    if (this.pending) {
      if (this.#givenUp) return undefined;
      return Math.max(this.#patience.untilMs, this.#want.sinceMs + (this.#sender.coalesceMs ?? 0));
    }
    const untilMs = this.#doubts.othersUntilMs(this.#want.digest);
    return untilMs === undefined ? undefined : Math.max(this.#patience.untilMs, untilMs);
  }

  #rest(): void {
    if (this.#users === 0 && (this.#final || this.#givenUp) && this.#unsaved === 0) this.#keeper.rests(this.key);
  }

  /** It is refused, and nobody has wanted it for a long time. */
  get #givenUp(): boolean {
    const idle = this.#users === 0 && this.#patience.refused;
    return idle && this.#keeper.engine.clock.now() - this.#wantedMs > KEPT_MS;
  }

  get #final(): boolean {
    return this.#want === undefined || this.#sender.abandoned?.(this.#want.value) === undefined;
  }

  async #send(): Promise<void> {
    if (this.#givenUp) this.#save(); // at rest
    if (this.#dueMs() === undefined) return this.#arm();
    this.#queued = true; // until it is answered
    this.#publish();
    const leave = await this.#keeper.place(this.#sender.kind);
    while (this.#unsaved > 0) await this.#saved; // what is sent is durable, also a value that comes meanwhile
    if (leave === undefined || this.#want === undefined) return;
    this.#flying = this.#want;
    this.#publish();
    const result = await this.#attempt(this.#flying.value);
    leave();
    if (!this.#keeper.signal.aborted) this.#landed(this.#flying, result); // else the next process finds out
  }

  #landed(sent: Wanted<Want>, result: Told): void {
    this.#queued = false;
    this.#flying = undefined;
    this.#take(sent, result);
    this.#save();
    this.#publish();
    this.#arm();
  }

  #attempt(value: Want): Promise<Told> {
    const { engine, signal } = this.#keeper;
    return sendOnce(engine.clock, signal, (end) =>
      this.#sender.send(value, this.#confirmed?.kept, end, this.#doubts.unsure),
    );
  }

  #take(want: Wanted<Want>, result: Told): void {
    const nowMs = this.#keeper.engine.clock.elapsed();
    const outdated = this.#outdated;
    this.#outdated = false;
    if (result.ok) {
      this.#confirmed = { digest: outdated ? "" : want.digest, kept: result.value };
      this.#told = outdated ? undefined : ok(result.value);
      this.#patience.end();
      this.#doubts.answered(nowMs);
      this.#waitsSinceMs = undefined; // a newer value waits from here on
      return;
    }
    const { error, kept } = result;
    if (kept !== undefined) this.#confirmed = { digest: "", kept };
    if (error.class === "transient" && error.retryAtMs === undefined) this.#doubts.add(want.digest, nowMs);
    // A refusal is about the very value that was sent: a newer one is not held up by it.
    if (error.class === "transient" || want.digest === this.#want?.digest) this.#patience.take(error);
    else this.#patience.forgive();
  }

  /** The newest row is durable once the newest of these promises is kept. */
  #save(): void {
    if (this.#want === undefined) return;
    const { clock, journal } = this.#keeper.engine;
    const dueMs = this.#dueMs();
    const open = !this.#givenUp && (this.pending || dueMs !== undefined || !this.#final);
    const waitMs = Math.max(0, (dueMs ?? 0) - clock.elapsed());
    this.#waitsSinceMs = this.pending ? (this.#waitsSinceMs ?? clock.elapsed()) : undefined;
    const row: OutboxRow = {
      key: this.key,
      want: this.#sender.want.encode(this.#want.value),
      confirmed: confirmedJson({ confirmed: this.#confirmed, doubts: this.#mayLand() }),
      tries: this.#patience.tries,
      nextMs: open ? Math.max(1, Math.round(clock.now() + waitMs)) : 0,
      wantedMs: this.#wantedMs,
      waitsSinceMs: this.#waitsSinceMs === undefined ? 0 : Math.round(clock.now() - this.waitsMs),
    };
    this.#unsaved += 1;
    this.#saved = journal.save({ put: "outbox", row }).then(() => {
      this.#unsaved -= 1;
      this.#arm();
    });
  }

  /** Also what is being sent right now, should the process end before its answer. */
  #mayLand(): readonly string[] {
    return [...this.#doubts.digests, ...(this.#flying === undefined ? [] : [this.#flying.digest])];
  }

  #watchUsers(afterMs: number): void {
    if (this.#users > 0) return;
    if (this.#final) return this.#arm();
    this.#abandon?.unsubscribe();
    this.#abandon = this.#keeper.engine.clock.after(afterMs, () => {
      if (this.#users > 0 || this.#want === undefined) return;
      const left = this.#sender.abandoned?.(this.#want.value);
      if (left !== undefined) this.#keeper.engine.change(undefined, () => this.#set(left, this.#wantedMs));
    });
  }

  #publish(): void {
    this.#keeper.engine.change(undefined, () => this.answer.set(this.#now()));
  }

  #now(): Answer<Json> {
    const detail = this.#patience.failure?.message;
    return { output: this.#output(), metadata: detail === undefined ? {} : { detail } };
  }

  #output(): Output<Json> {
    if (!this.pending && this.#told !== undefined) return this.#told;
    const { failure: why, refused } = this.#patience;
    if (refused && why !== undefined) return failed(why, this.key); // also while it is tried again: that is no news
    if (this.#flying !== undefined) return active("running", this.key);
    if (this.#queued && this.#keeper.held) return active("waiting", this.key);
    return why === undefined ? active("ready", this.key) : failed(why, this.key);
  }
}
