import type { Subscription } from "rxjs";
import type { Clock } from "../engine/clock.ts";
import type { Applied, Observed, Settled, Stamp, TargetKind } from "../engine/effects/target.ts";
import { problem } from "../engine/errors.ts";
import type { Job } from "../engine/job.ts";
import type { Codec, Json } from "../engine/json.ts";
import { type Failure, failure, type Result, success } from "../term/output.ts";
import { textCodec } from "./dummy-builder.ts";
import { never } from "./mortal-store.ts";
import type { Rig } from "./rig.ts";

/** A thing in the fake world, with a version that compare-and-set compares. */
interface Thing {
  readonly running: string;
  readonly version: number;
  readonly motion: Observed["motion"];
  /** Why it does not run, whatever its motion says. */
  readonly down?: string;
  readonly receipt?: Stamp;
}

/** A write that arrived: `conflict` when it was for another version than the one that was there. */
export interface Arrival {
  readonly atMs: number;
  readonly verb: "apply" | "fence";
  readonly name: string;
  readonly intent: string;
  readonly generation: number;
  /** That of the process that sent it. */
  readonly epoch: number;
  readonly value: string;
  readonly conflict: boolean;
}

interface FakeRef {
  readonly version: number;
  readonly running: string;
}

/**
 * What becomes of a write: its answer is lost though it arrives · it arrives late and its answer is lost · it gets lost
 * itself · it is refused.
 */
export type Mishap = "answer lost" | "late" | "lost" | "refused";

/** A world with things in it that can be moved, for lanes. It outlives the engines that move them. */
export class FakeWorld {
  readonly arrivals: Arrival[] = [];
  /** Values that never get healthy: the world undoes them. */
  readonly bad = new Set<string>();
  /** Values that stay there, and are never well: the world calls the change failed, until the next write of any kind. */
  readonly stuck = new Set<string>();
  /** Values that stay there, and are never well: the world calls the change done all the same. */
  readonly idle = new Set<string>();
  readonly unreachable = new Set<string>();
  /** One for each of the next writes. */
  readonly mishaps: (Mishap | undefined)[] = [];
  /** How long a change takes, and a late write to arrive, in milliseconds. */
  moveMs = 5_000;
  lateMs = 3_000;
  readonly #things = new Map<string, Thing>();
  readonly #moves = new Map<string, Subscription>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Writes that took effect and were meant to move the thing. */
  get moves(): readonly Arrival[] {
    return this.arrivals.filter(({ verb, conflict }) => verb === "apply" && !conflict);
  }

  thing(name: string): Thing | undefined {
    return this.#things.get(name);
  }

  /** Somebody else makes it, or changes it by hand. The receipt stays unless another is given. */
  byHand(name: string, change: { readonly running: string; readonly receipt?: Stamp }): void {
    const { version = 0, receipt } = this.#things.get(name) ?? {};
    const kept = change.receipt ?? receipt;
    this.#moves.get(name)?.unsubscribe();
    const more = kept === undefined ? {} : { receipt: kept };
    this.#things.set(name, { running: change.running, version: version + 1, motion: "steady", ...more });
  }

  /** It stops running for this reason, or (none) runs again: by itself, so that its version stays. */
  falls(name: string, down: string | undefined): void {
    const { down: _before, ...thing } = this.#things.get(name) ?? { running: "", version: 0, motion: "steady" };
    this.#things.set(name, down === undefined ? thing : { ...thing, down });
  }

  remove(name: string): void {
    this.#things.delete(name);
  }

  /** The kind of target that a process sees: it hears nothing any more once it is dead. */
  kind(rig: Pick<Rig, "alive">): FakeKind {
    return new FakeKind(this, this.#clock, rig.alive);
  }

  /** A write arrives. */
  arrive(write: Omit<Arrival, "atMs" | "conflict">, expected: string, stamp: Stamp): Applied<FakeRef> {
    const { name, verb, value } = write;
    const thing = this.#things.get(name);
    const conflict = thing === undefined || String(thing.version) !== expected;
    this.arrivals.push({ ...write, atMs: this.#clock.now(), conflict });
    if (conflict) return { state: "conflict", detail: `version ${thing?.version} is not ${expected}` };
    const version = thing.version + 1;
    const motion = thing.motion === "moving" ? "moving" : "steady"; // a write makes it forget
    if (verb === "fence") this.#things.set(name, { ...thing, version, motion });
    else this.#move(name, thing, { running: value, version, motion: "moving", receipt: stamp });
    return { state: "applied", ref: { version, running: verb === "fence" ? thing.running : value } };
  }

  #move(name: string, before: Thing, after: Thing): void {
    this.#moves.get(name)?.unsubscribe();
    this.#things.set(name, after);
    const settle = (): void => {
      const { version } = this.#things.get(name) ?? after;
      const undone: Thing = { ...before, version: version + 1, motion: "rolled-back" };
      const stuck = this.stuck.has(after.running);
      const well = { ...after, version, motion: stuck ? "failed" : "steady" } as const;
      const down = stuck || this.idle.has(after.running) ? { down: `${after.running} stands still` } : {};
      this.#things.set(name, this.bad.has(after.running) ? undone : { ...well, ...down });
    };
    this.#moves.set(name, this.#clock.after(this.moveMs, settle));
  }
}

/** A target kind over a fake world. A spec is the name of a thing, a wanted value a text. */
export class FakeKind implements TargetKind<string, string, Observed, FakeRef> {
  readonly kind = "fake";
  readonly level = "dangerous";
  readonly guard = "cas";
  readonly wanted = textCodec;
  readonly ref: Codec<FakeRef> = { encode: ({ version, running }) => ({ version, running }), decode: refOf };
  readonly #world: FakeWorld;
  readonly #clock: Clock;
  readonly #alive: (point: string) => boolean;

  constructor(world: FakeWorld, clock: Clock, alive: (point: string) => boolean) {
    this.#world = world;
    this.#clock = clock;
    this.#alive = alive;
  }

  lane(name: string): string {
    return `fake/${name}`;
  }
  describe(name: string): string {
    return `fake thing ${name}`;
  }
  running(wanted: string): string {
    return wanted;
  }
  plan(_name: string, seen: Observed, wanted: string): readonly { field: string; before: string; after: string }[] {
    return seen.running === wanted ? [] : [{ field: "running", before: seen.running ?? "", after: wanted }];
  }

  async observe(name: string): Promise<Result<Observed>> {
    if (!this.#alive("before observe")) return never();
    const thing = this.#world.thing(name);
    const unreachable = this.#world.unreachable.has(name);
    if (!this.#alive("after observe")) return never();
    if (unreachable) return failure(noAnswer(name));
    if (thing === undefined) return success({ exists: false, version: "", motion: "steady", ref: null });
    const { version, ...more } = thing;
    const ref = { version, running: thing.running };
    return success({ exists: true, ...more, version: String(version), ref });
  }

  apply(name: string, seen: Observed, value: string, stamp: Stamp, _job: Job): Promise<Applied<FakeRef>> {
    return this.#write({ verb: "apply", name, value, ...stamp }, seen, stamp);
  }

  fence(name: string, seen: Observed, stamp: Stamp, _job: Job): Promise<Applied<FakeRef>> {
    return this.#write({ verb: "fence", name, value: seen.running ?? "", ...stamp }, seen, stamp);
  }

  async #write(
    { verb, name, value, intent, generation, epoch }: Omit<Arrival, "atMs" | "conflict">,
    seen: Observed,
    stamp: Stamp,
  ): Promise<Applied<FakeRef>> {
    if (!this.#alive(`before ${verb}`)) return never();
    const world = this.#world;
    const mishap = world.unreachable.has(name) ? "lost" : world.mishaps.shift();
    const arrive = (): Applied<FakeRef> =>
      world.arrive({ verb, name, value, intent, generation, epoch }, seen.version, stamp);
    const late = (): void => void this.#clock.after(world.lateMs, arrive);
    if (!this.#alive(`sent ${verb}`)) {
      late(); // the request outlives the process that sent it
      return never();
    }
    if (mishap === "refused") return { state: "refused", error: problem("IMAGE_NOT_PINNED", `${value} is refused`) };
    if (mishap === "late") late();
    const answer: Applied<FakeRef> = mishap === "late" || mishap === "lost" ? lost : arrive();
    if (!this.#alive(`after ${verb}`)) return never();
    return mishap === undefined ? answer : lost;
  }

  async settle(name: string, ref: FakeRef, job: Job): Promise<Settled> {
    for (;;) {
      if (!this.#alive("settle")) return never();
      if (this.#world.unreachable.has(name) || job.signal.aborted)
        return { state: "unreachable", error: noAnswer(name) };
      const thing = this.#world.thing(name);
      if (thing?.motion !== "moving") return settled(thing, ref);
      await this.#clock.sleep(500, job.signal);
    }
  }
}

const lost: Applied<never> = { state: "unknown", detail: "no answer" };
const noAnswer = (name: string): Failure => problem("ENGINE_UNREACHABLE", `${name} does not answer`);

function settled(thing: Thing | undefined, ref: FakeRef): Settled {
  if (thing?.motion === "rolled-back") return { state: "rolled-back", evidence: `${ref.running} did not get healthy` };
  if (thing?.motion === "failed") return { state: "failed", evidence: `${ref.running} stands still` };
  if (thing?.running !== ref.running) return { state: "failed", evidence: `it runs ${thing?.running ?? "nothing"}` };
  if (thing.down !== undefined) return { state: "failed", evidence: `not settled: ${thing.down}` };
  return { state: "healthy", evidence: `${ref.running} runs` };
}

function refOf(json: Json): FakeRef | undefined {
  if (typeof json !== "object" || json === null || !("version" in json) || !("running" in json)) return undefined;
  const { version, running } = json;
  return typeof version === "number" && typeof running === "string" ? { version, running } : undefined;
}
