import type { IntentRow } from "../../src/engine/store/store.ts";
import type { Accounts } from "./accounts.ts";
import type { Strike } from "./plan.ts";
import type { Witness } from "./witness.ts";

const LINES_MAX = 25;

/** What was done, in numbers. */
export class Tally {
  rounds = 0;
  kills = 0;
  /** Kills that the weapon itself did, and not the limit after it. */
  aimed = 0;
  /** Pairs of a kill and an intent that was open at it. */
  interruptions = 0;
  deploys = 0;
  tasks = 0;
  fences = 0;
  /** Updates that the engine refused: late ones of dead servers, mostly. */
  refused = 0;
  /** Endings that were said while somebody looked. */
  said = 0;
  readonly byState = new Map<string, number>();
  readonly byWeapon = new Map<string, number>();
  /** Kills by the number of intents that were open. */
  readonly byOpen = new Map<number, number>();
  readonly #interrupted = new Set<string>();
  readonly #lines: string[] = [];
  readonly #startMs = performance.now();

  /** Intents that were open when their server was killed, each counted once. */
  get interrupted(): number {
    return this.#interrupted.size;
  }

  killed({ weapon }: Strike, aimed: boolean, open: readonly IntentRow[]): void {
    this.kills += 1;
    if (aimed) this.aimed += 1;
    this.interruptions += open.length;
    count(this.byWeapon, weapon.by === "call" ? weapon.calls : weapon.by);
    count(this.byOpen, open.length);
    for (const { id, state } of open) {
      this.#interrupted.add(id);
      count(this.byState, state);
    }
  }

  end(accounts: Accounts, witness: Witness): void {
    this.deploys = accounts.deploys;
    this.tasks = accounts.tasks;
    this.fences = accounts.fences;
    this.refused = accounts.refused;
    this.said = witness.said;
  }

  note(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) this.#lines.shift();
  }
  lastLines(): readonly string[] {
    return this.#lines;
  }

  /** A few lines for people. */
  text(): string {
    const seconds = Math.round((performance.now() - this.#startMs) / 1_000);
    return [
      `${this.kills} kills (${this.aimed} where they were aimed) in ${this.rounds} rounds, ${seconds} s`,
      `${this.interrupted} intents interrupted, ${this.interruptions} times: ${text(this.byState)}`,
      `by ${text(this.byWeapon)}; kills by open intents: ${text(this.byOpen)}`,
      `${this.deploys} deploys of services wanted and done, ${this.tasks} tasks replaced`,
      `${this.fences} fences, ${this.refused} late updates refused, ${this.said} endings said and kept`,
    ].join("\n");
  }
}

const count = <K>(counts: Map<K, number>, key: K): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

const text = (counts: ReadonlyMap<string | number, number>): string =>
  [...counts]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, times]) => `${key} ${times}`)
    .join(", ");
