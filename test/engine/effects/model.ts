// A lane, its database and its target as a model whose every schedule can be run. The decisions are production's own:
// `nextAct` and `Wants`. The rest is as small as it can be: what an act does to the database and to the target.

import { type Ending, nextAct, type OpenIntent } from "../../../src/engine/effects/machine.ts";
import type { Observed } from "../../../src/engine/effects/target.ts";
import { Wants } from "../../../src/engine/effects/wants.ts";
import type { Json } from "../../../src/engine/json.ts";

/** What is taken out to see the model notice. */
export interface Planted {
  readonly noFence?: boolean;
  readonly noCompareAndSet?: boolean;
  readonly noIntentRecord?: boolean;
}

export interface History extends Planted {
  /** Values that the head has one after the other; `!` marks one that rolls back. */
  readonly heads: readonly string[];
  readonly crashes: number;
  /** How many answers may be lost while the process lives. */
  readonly lost: number;
}

export interface Verdict {
  /** The newest wanted value does not run in the end. */
  readonly wrong: boolean;
  /** One generation reached the target twice. */
  readonly repeated: boolean;
  /** An older generation came over a newer one. */
  readonly stale: boolean;
}

/** A write that was sent and may land now, later or never. */
interface Request {
  readonly verb: "apply" | "fence";
  readonly version: string;
  readonly intent: string;
  readonly generation: number;
  readonly epoch: number;
  readonly value: string;
}

const kind = {
  wanted: {
    encode: (value: string): Json => value,
    decode: (json: Json) => (typeof json === "string" ? json : undefined),
  },
  running: (value: string) => value,
};
/** More acts than any schedule needs: a lane that goes on and on is a fault. */
const ACTS_MAX = 60;

/** Chooses one of `count` ways to go on. */
export type Choose = (count: number) => number;

/** Runs one schedule to its end. */
function runSchedule(history: History, choose: Choose): Verdict {
  return new World(history, choose).run();
}

class World {
  readonly #history: History;
  readonly #choose: Choose;
  // the target
  #running = "old";
  #version = 1;
  #receipt: Observed["receipt"];
  #motion: Observed["motion"] = "steady";
  // on the way to it
  #pending: Request[] = [];
  // the forge
  #head = 0;
  // the database
  #row: OpenIntent | undefined;
  #last: Ending | undefined;
  #epoch = 1;
  // the process
  #wants = new Wants<string>(kind);
  #clear = false;
  #cleared: number | undefined;
  #seen: Observed | undefined;
  #crashes: number;
  #lost: number;
  // what is counted
  readonly #landed: number[] = [];
  #repeated = false;
  #stale = false;
  #ids = 0;

  constructor(history: History, choose: Choose) {
    this.#history = history;
    this.#choose = choose;
    this.#crashes = history.crashes;
    this.#lost = history.lost;
    this.#learn();
  }

  run(): Verdict {
    for (let acts = 0; acts < ACTS_MAX; acts++) {
      this.#outside();
      if (this.#act() === "rest" && this.#settledOutside()) return this.#verdict();
    }
    throw new Error("the lane never comes to rest");
  }

  /** Between two acts: nothing, a crash, a head that moves, a late write that lands. */
  #outside(): void {
    const moves: (() => void)[] = [() => {}];
    if (this.#crashes > 0) moves.push(() => this.#crash());
    if (this.#head < this.#history.heads.length - 1) moves.push(() => this.#moveHead());
    for (const request of this.#pending) moves.push(() => this.#late(request));
    moves[this.#choose(moves.length)]?.();
  }

  /** At rest everything outside happens that still can; true when there is nothing left. */
  #settledOutside(): boolean {
    if (this.#head < this.#history.heads.length - 1) {
      this.#moveHead();
      return false;
    }
    const [request] = this.#pending;
    if (request === undefined) return true;
    if (this.#choose(2) === 0) this.#pending.shift();
    else this.#late(request);
    return this.#pending.length === 0;
  }

  #moveHead(): void {
    this.#head += 1;
    this.#learn();
  }

  /** The process hears of the head. */
  #learn(): void {
    this.#wants.set(this.#history.heads[this.#head], [], this.#row ?? this.#last);
  }

  #crash(): void {
    this.#crashes -= 1;
    this.#epoch += 1;
    if (this.#history.noIntentRecord) this.#row = undefined;
    this.#clear = false;
    this.#cleared = undefined;
    this.#seen = undefined;
    this.#wants = new Wants<string>(kind);
    this.#learn();
  }

  #late(request: Request): void {
    this.#pending = this.#pending.filter((one) => one !== request);
    this.#land(request);
  }

  /** A write reaches the target; true when it is taken. */
  #land(request: Request): boolean {
    if (request.version !== String(this.#version) && !this.#history.noCompareAndSet) return false;
    this.#version += 1;
    this.#motion = "steady"; // any write ends what an earlier roll-back left: measured on Swarm, asked of every kind
    if (request.verb === "fence") return true;
    if (this.#landed.includes(request.generation)) this.#repeated = true;
    if (this.#landed.some((generation) => generation > request.generation)) this.#stale = true;
    this.#landed.push(request.generation);
    if (request.value.endsWith("!")) {
      this.#version += 1;
      this.#motion = "rolled-back"; // the receipt goes back with the image
    } else {
      this.#running = request.value;
      const { intent, generation, epoch, value } = request;
      this.#receipt = { intent, generation, epoch, digest: value, owner: "model" };
    }
    return true;
  }

  #act(): "rest" | "went on" {
    const act = nextAct({
      epoch: this.#epoch,
      owner: "model",
      want: this.#wants.current,
      intent: this.#row && { ...this.#row, clear: this.#clear },
      last: this.#last,
      seen: this.#seen,
      cleared: this.#cleared,
    });
    switch (act.act) {
      case "observe":
        this.#observe();
        return "went on";
      case "clear":
        this.#learn();
        this.#seen = undefined;
        this.#cleared = this.#wants.current?.generation === act.generation ? act.generation : undefined;
        return "went on";
      case "plan":
        this.#plan();
        return "went on";
      case "apply":
      case "fence":
        this.#write(act.act);
        return "went on";
      case "adopt":
        if (this.#row !== undefined) this.#row = { ...this.#row, state: "applied" };
        return "went on";
      case "settle":
        this.#end(this.#motion === "rolled-back" ? "rolled-back" : "verified");
        return "went on";
      case "end":
        this.#end(act.state);
        return "went on";
      case "rest":
      case "give-up":
      case "drifted": // only with something planted: then the ending is wrong, and counted
      case "hold":
        return this.#atRest();
      case "wait":
      case "missing":
      case "repair":
        throw new Error(`the model never leads to "${act.act}"`);
    }
  }

  /** A lane at rest looks again, now or in a minute. */
  #atRest(): "rest" {
    this.#seen = undefined;
    return "rest";
  }

  #observe(): void {
    const receipt = this.#receipt === undefined ? {} : { receipt: this.#receipt };
    const seen = {
      exists: true,
      running: this.#running,
      version: String(this.#version),
      motion: this.#motion,
      ref: null,
    };
    this.#seen = { ...seen, ...receipt };
  }

  #plan(): void {
    const want = this.#wants.current;
    if (want === undefined || this.#seen === undefined) return;
    this.#ids += 1;
    const { digest, generation, running } = want;
    this.#row = {
      id: `intent ${this.#ids}`,
      digest,
      generation,
      running,
      state: "planned",
      seenVersion: this.#seen.version,
      clear: true,
    };
    this.#clear = true;
  }

  /** Sent; then it lands and is answered, lands unanswered, or is still on its way when the process goes on or dies. */
  #write(verb: "apply" | "fence"): void {
    const row = this.#row;
    if (row === undefined || this.#seen === undefined) return;
    const { id: intent, generation, running: value } = row;
    const { version } = this.#seen;
    const request: Request = { verb, version, intent, generation, epoch: this.#epoch, value };
    const sent: OpenIntent = { ...row, seenVersion: version };
    this.#row = sent;
    this.#seen = undefined;
    if (verb === "fence" && this.#history.noFence) {
      this.#clear = true;
      return;
    }
    const ways: (() => void)[] = [() => this.#answered(sent, verb, this.#land(request))];
    const landLost = (): unknown => this.#land(request);
    const delay = (): unknown => this.#pending.push(request);
    for (const meanwhile of [landLost, delay]) {
      if (this.#lost > 0) ways.push(() => (meanwhile(), this.#unknown(sent)));
      if (this.#crashes > 0) ways.push(() => (meanwhile(), this.#crash()));
    }
    ways[this.#choose(ways.length)]?.();
  }

  #answered(row: OpenIntent, verb: "apply" | "fence", taken: boolean): void {
    if (!taken) return; // a conflict: looked at again
    if (verb === "fence") this.#clear = true;
    else this.#row = { ...row, state: "applied" };
  }

  #unknown(row: OpenIntent): void {
    this.#lost -= 1;
    this.#clear = false;
    this.#row = { ...row, state: "unknown" };
  }

  #end(state: Ending["state"]): void {
    const row = this.#row;
    if (row === undefined) return;
    this.#last = { id: row.id, state, generation: row.generation, digest: row.digest, evidence: "" };
    this.#row = undefined;
    this.#clear = false;
    this.#cleared = undefined;
    this.#seen = undefined;
  }

  #verdict(): Verdict {
    const good = this.#history.heads.filter((head) => !head.endsWith("!"));
    const newest = this.#history.heads.at(-1) ?? "";
    const wrong = newest.endsWith("!") ? !["old", ...good].includes(this.#running) : this.#running !== newest;
    return { wrong, repeated: this.#repeated, stale: this.#stale };
  }
}

export interface Tally {
  readonly schedules: number;
  readonly wrong: number;
  readonly repeated: number;
  readonly stale: number;
}

/** Every schedule of a history: each run replays a list of choices and takes the first way at every new fork. */
export function explore(history: History, schedulesMax = Number.POSITIVE_INFINITY, untilFault = false): Tally {
  const path: { way: number; ways: number }[] = [];
  const tally = { schedules: 0, wrong: 0, repeated: 0, stale: 0 };
  do {
    let at = 0;
    const verdict = runSchedule(history, (ways) => {
      const fork = path[at] ?? { way: 0, ways };
      if (at === path.length) path.push(fork);
      at += 1;
      return fork.way;
    });
    tally.schedules += 1;
    tally.wrong += Number(verdict.wrong);
    tally.repeated += Number(verdict.repeated);
    tally.stale += Number(verdict.stale);
    if (untilFault && (verdict.wrong || verdict.repeated || verdict.stale)) return tally;
    for (let last = path.at(-1); last !== undefined && last.way === last.ways - 1; last = path.at(-1)) path.pop();
    const fork = path.at(-1);
    if (fork !== undefined) fork.way += 1;
  } while (path.length > 0 && tally.schedules < schedulesMax);
  return tally;
}
