import { START_MS, type TestClock } from "../../src/testing/index.ts";

/** A write that arrived at a target. */
export interface Landing {
  readonly atMs: number;
  readonly sentMs: number;
  readonly lane: string;
  readonly verb: "apply" | "fence";
  readonly intent: string;
  readonly generation: number;
  readonly epoch: number;
  /** What it asked for. */
  readonly image: string;
  readonly conflict: boolean;
  /** Whether tasks had to be replaced for it. */
  readonly replaced: boolean;
}

/** What a page said of a target, from this moment on. */
export interface Shown {
  readonly atMs: number;
  readonly lane: string;
  readonly state: string;
  readonly running: string | undefined;
  readonly detail: string;
}

/** From this moment on; `value` undefined: nothing, or on its way. */
export interface Since {
  readonly atMs: number;
  readonly of: string;
  readonly value: string | undefined;
}

/** Everything that happened, as lines for people and as facts for the checkers. Times are since the start. */
export class History {
  readonly lines: string[] = [];
  /** Lane → what runs there healthily. */
  readonly steady: Since[] = [];
  /** `URL BRANCH` → digest of the image that its head is built to. */
  readonly wanted: Since[] = [];
  readonly landings: Landing[] = [];
  readonly shown: Shown[] = [];
  /** What people did: `hand image` or `hand label` of a lane, or the button that was pressed for a term. */
  readonly people: Since[] = [];
  readonly full: { readonly fromMs: number; readonly toMs: number }[] = [];
  /** What is wrong and was seen at once. */
  readonly faults: string[] = [];
  readonly #clock: TestClock;

  constructor(clock: TestClock) {
    this.#clock = clock;
  }

  get nowMs(): number {
    return this.#clock.now() - START_MS;
  }

  /** Drops all that happened: for a run that is too long to keep. */
  forget(): void {
    for (const list of [this.lines, this.steady, this.wanted, this.landings, this.shown, this.people]) list.length = 0;
  }

  note(line: string): void {
    this.lines.push(`${this.nowMs} ${line}`);
  }

  fault(what: string): void {
    this.faults.push(what);
    this.note(`FAULT ${what}`);
  }
}

/** What held at some moment of a span: the last before it, and all within. */
export function during(
  list: readonly Since[],
  of: string,
  fromMs: number,
  toMs: number,
): readonly (string | undefined)[] {
  const own = list.filter((one) => one.of === of && one.atMs <= toMs);
  const before = own.findLast(({ atMs }) => atMs <= fromMs);
  return [before, ...own.filter(({ atMs }) => atMs > fromMs)].map((one) => one?.value);
}
