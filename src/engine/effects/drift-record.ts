import type { Engine } from "../engine.ts";
import type { Json } from "../json.ts";
import type { Write } from "../store/store.ts";
import type { DriftPolicy, DriftState } from "./drift.ts";
import type { Lane } from "./target.ts";
import type { Known, Stored } from "./wants.ts";

/** How long after each repair the next one may come, in milliseconds; there is none after the last of them. */
const REPAIR_AFTER_MS = [0, 60_000, 5 * 60_000] as const;
/** A repair that lasted this long is not counted any more. */
const LASTED_MS = 60 * 60_000;

/** What the target is to run, for which wanted value; `adoptedBy` when a person accepted something else for it. */
interface Settled {
  readonly generation: number;
  readonly digest: string;
  readonly running: string;
  readonly adoptedBy?: string;
}

interface Remembered {
  readonly settled?: Settled;
  /** What a person asked to be deployed again; it counts until an intent has its number. */
  readonly asked?: Known;
  /** What the last deploy that did not succeed found there, and what it was to put there; null for nothing. */
  readonly left: readonly (string | null)[];
  /** With the policy that it came from: another one in pipeline.ts ends it. */
  readonly held?: { readonly why: string; readonly policy: string };
  /** Repairs that were undone, and when the last one was begun. */
  readonly repairs: number;
  readonly repairedMs: number;
}

/**
 * What a lane remembers beside its intents, so that a change of its target by hand is noticed after a restart too, and a
 * Rebuild is not forgotten.
 */
export class DriftRecord {
  readonly policy: DriftPolicy;
  readonly #engine: Engine;
  readonly #name: string;
  #now: Remembered;
  /** When the last repair was begun, by the clock that nobody sets; before this process, as the wall clock tells. */
  #repairedAt: number;

  constructor(engine: Engine, lane: Lane, policy: DriftPolicy) {
    this.#engine = engine;
    this.policy = policy;
    this.#name = `drift ${lane}`;
    this.#now = remembered(engine.store.queries.setting(this.#name));
    if (this.#now.held !== undefined && this.#now.held.policy !== policy) this.#now = without(this.#now);
    this.#repairedAt = engine.clock.elapsed() - Math.max(0, engine.clock.now() - this.#now.repairedMs);
  }

  /** The value that was settled last. */
  get settled(): Settled | undefined {
    return this.#now.settled;
  }

  /** The Rebuild that was asked for last, if nothing has been settled since. */
  get asked(): Stored | undefined {
    const { asked } = this.#now;
    return asked === undefined ? undefined : { ...asked, forced: true };
  }

  /** How long until the next repair may begin, in milliseconds. */
  get repairInMs(): number {
    return Math.max(0, Math.ceil((REPAIR_AFTER_MS[this.#repairs] ?? 0) - this.#sinceMs));
  }

  /** @param found What the open intent found there. */
  state(found: readonly (string | undefined)[]): DriftState {
    const { settled, held, left } = this.#now;
    const { policy } = this;
    const ours = [...found, ...left.map((running) => running ?? undefined)];
    return { policy, settled, ours, held: held?.why, repair: this.#repair() };
  }

  /** The target runs this for the wanted value. Memory is the truth; nothing waits for the disk. */
  settle(settled: Settled): void {
    const { generation, digest, running } = settled;
    const before = this.#now.settled;
    const same = before?.generation === generation && before.digest === digest && before.running === running;
    if (same && this.#now.held === undefined) return;
    this.#engine.journal.note(this.#put({ ...this.#counts, settled, left: [] }));
  }

  /** An intent has ended: what is to be saved with it. */
  ended(verified: boolean, before: string | null, settled: Settled): Write {
    if (verified) return this.#put({ ...this.#counts, settled, left: [] });
    return this.#put({ ...this.#now, left: [before, settled.running] });
  }

  hold(why: string): void {
    if (this.#now.held !== undefined) return;
    this.#engine.journal.note(this.#put({ ...this.#now, held: { why, policy: this.policy } }));
  }

  /** A person asks for Rebuild: what is to be saved before that is answered. */
  ask({ generation, digest }: Known): Write {
    return this.#put({ ...this.#now, asked: { generation, digest } });
  }

  /** A person accepts what runs: what is to be saved with it. */
  adopted(settled: Settled): Write {
    return this.#put({ settled, left: [], ...FRESH });
  }

  /** An intent is begun: what is to be saved with it. */
  begun(why: "repair" | "forced" | "wanted"): readonly Write[] {
    if (why === "wanted") return [];
    const { settled, left } = this.#now;
    const counted = why === "forced" ? FRESH : { repairs: this.#repairs + 1, repairedMs: this.#engine.clock.now() };
    this.#repairedAt = this.#engine.clock.elapsed();
    return [this.#put({ ...(settled === undefined ? {} : { settled }), left, ...counted })];
  }

  get #counts(): Pick<Remembered, "repairs" | "repairedMs"> {
    const { repairs, repairedMs } = this.#now;
    return { repairs, repairedMs };
  }

  /** How many repairs were undone one after the other. */
  get #repairs(): number {
    return this.#sinceMs >= LASTED_MS ? 0 : this.#now.repairs;
  }
  get #sinceMs(): number {
    return this.#engine.clock.elapsed() - this.#repairedAt;
  }

  #repair(): DriftState["repair"] {
    if (this.#repairs === 0) return "due";
    if (this.#repairs >= REPAIR_AFTER_MS.length) return "spent";
    return this.repairInMs === 0 ? "due" : "later";
  }

  #put(next: Remembered): Write {
    this.#now = next;
    const { settled, held, asked, ...rest } = next;
    const hold = held === undefined ? {} : { heldWhy: held.why, heldPolicy: held.policy };
    const ask = asked === undefined ? {} : { askedGeneration: asked.generation, askedDigest: asked.digest };
    return { put: "setting", row: { name: this.#name, value: { ...settled, ...hold, ...ask, ...rest } } };
  }
}

const FRESH = { repairs: 0, repairedMs: 0 } as const;

const without = ({ held: _held, ...rest }: Remembered): Remembered => rest;

function remembered(json: Json | undefined): Remembered {
  const field = (name: string): unknown =>
    typeof json === "object" && json !== null ? Reflect.get(json, name) : undefined;
  const text = (name: string): string => {
    const found = field(name);
    return typeof found === "string" ? found : "";
  };
  const number = (name: string): number => Number(field(name) ?? 0);
  const [running, adoptedBy, why, left] = [field("running"), text("adoptedBy"), text("heldWhy"), field("left")];
  const askedDigest = text("askedDigest");
  const by = adoptedBy === "" ? {} : { adoptedBy };
  const settled = { generation: number("generation"), digest: text("digest"), running: text("running"), ...by };
  return {
    repairs: number("repairs"),
    repairedMs: number("repairedMs"),
    left: Array.isArray(left) ? left.map((one: unknown) => (typeof one === "string" ? one : null)) : [],
    ...(typeof running === "string" ? { settled } : {}),
    ...(why === "" ? {} : { held: { why, policy: text("heldPolicy") } }),
    ...(askedDigest === "" ? {} : { asked: { generation: number("askedGeneration"), digest: askedDigest } }),
  };
}
