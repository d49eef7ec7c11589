import type { Engine } from "../engine.ts";
import type { JobId } from "../job.ts";
import { hex } from "../random.ts";
import type { IntentRow } from "../store/store.ts";
import type { DriftPolicy } from "./drift.ts";
import { DriftRecord } from "./drift-record.ts";
import { Intents, newIntent } from "./intents.ts";
import type { Situation } from "./machine.ts";
import type { Lane, Observed, Stamp, TargetKind } from "./target.ts";
import { type Stored, Wants } from "./wants.ts";

interface About {
  readonly lane: Lane;
  readonly term: string;
  readonly owner: string;
  readonly drift: DriftPolicy;
}

/** Everything that a lane knows. */
export class LaneState<Spec, W, Seen extends Observed, Ref> {
  readonly wants: Wants<W>;
  readonly intents: Intents;
  readonly drift: DriftRecord;
  /** The target as last observed; kept for people while `seen` has to be read again. */
  lastSeen: Seen | undefined;
  /** The generation whose job has passed the threshold and the re-read head. */
  cleared: number | undefined;
  #seen: Seen | undefined;
  /** The intent of this lane that was looked up last: no record of one is ever taken away. */
  #known: string | undefined;
  readonly #engine: Engine;
  readonly #kind: TargetKind<Spec, W, Seen, Ref>;
  readonly #about: About;

  constructor(engine: Engine, kind: TargetKind<Spec, W, Seen, Ref>, about: About) {
    this.#engine = engine;
    this.#kind = kind;
    this.#about = about;
    this.wants = new Wants(kind);
    this.intents = new Intents(engine.journal, engine.store.queries.intents({ lane: about.lane, limit: 1 })[0]);
    this.drift = new DriftRecord(engine, about.lane, about.drift);
  }

  /** The newest number of the lane that is known, and the value that has it. */
  get newest(): Stored | undefined {
    const [intent, settled, asked] = [this.intents.newest, this.drift.settled, this.drift.asked];
    const newest = (settled?.generation ?? 0) > (intent?.generation ?? 0) ? settled : intent;
    return (asked?.generation ?? 0) > (newest?.generation ?? 0) ? asked : newest;
  }

  /** The target as it is now; undefined when it has to be looked at (again). */
  get seen(): Seen | undefined {
    return this.#seen;
  }
  set seen(seen: Seen | undefined) {
    this.#seen = seen;
    if (seen !== undefined) this.lastSeen = seen;
  }

  situation(): Situation {
    return {
      epoch: this.#engine.epoch,
      owner: this.#about.owner,
      want: this.wants.current,
      intent: this.intents.open((row) => this.runningOf(row)),
      last: this.intents.last,
      seen: this.#seen,
      recorded: this.#recorded(),
      cleared: this.cleared,
      drift: this.drift.state(this.#found()),
    };
  }

  /** Also one that is not the last: it comes back when the target undoes what was put over it. */
  #recorded(): boolean {
    const { intent } = this.lastSeen?.receipt ?? {};
    if (intent === undefined || intent === this.#known) return intent !== undefined;
    if (this.#engine.store.queries.intent(intent)?.lane !== this.#about.lane) return false;
    this.#known = intent;
    return true;
  }

  /** What the open intent found on the target. */
  #found(): readonly (string | undefined)[] {
    const { row } = this.intents;
    return row === undefined ? [] : [row.before ?? undefined];
  }

  /** What the target shows as running when this intent is in. */
  runningOf(row: IntentRow): string {
    const wanted = this.#kind.wanted.decode(row.wanted);
    return wanted === undefined ? "" : this.#kind.running(wanted);
  }

  stamp(intent: string, of: { readonly generation: number; readonly digest: string }): Stamp {
    const { generation, digest } = of;
    return { intent, generation, digest, epoch: this.#engine.epoch, owner: this.#about.owner };
  }

  /** A new intent for this value. */
  newRow(want: { readonly generation: number; readonly digest: string }, job: JobId): IntentRow {
    return this.row(this.stamp(hex(this.#engine.random, 32), want), job);
  }

  /** A planned intent, still without its wanted value. */
  row(stamp: Stamp, job: JobId): IntentRow {
    const { lane, term } = this.#about;
    const of = { lane, kind: this.#kind.kind, term, before: this.lastSeen?.running ?? null };
    return newIntent(of, stamp, job, this.#engine.clock.now());
  }

  /** What a job that takes up an open intent says of it. */
  resumes(): { readonly resumes?: string } {
    const { row } = this.intents;
    if (row === undefined) return {};
    return { resumes: `intent ${row.id} of generation ${row.generation}, left ${row.state} by an earlier run` };
  }
}
