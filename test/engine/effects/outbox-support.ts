import { Outbox } from "../../../src/engine/effects/outbox.ts";
import type { Sender } from "../../../src/engine/effects/sender.ts";
import { wanted } from "../../../src/engine/effects/wanted.ts";
import { problem } from "../../../src/engine/errors.ts";
import type { Json } from "../../../src/engine/json.ts";
import { failure, type Result, success } from "../../../src/term/output.ts";
import type { Term } from "../../../src/term/term.ts";
import {
  createRig,
  type DummyInput,
  dummyInput,
  type Rig,
  type RigOptions,
  TestClock,
  textCodec,
} from "../../../src/testing/index.ts";
import { box, shown } from "../cache/support.ts";

/**
 * What becomes of a send: it arrives and its answer is lost · it arrives half a minute late, long after it was given up
 * · it never arrives · the other side refuses it · no answer ever comes.
 */
export type Mishap = "answer lost" | "late" | "lost" | "refused" | "silent";

const LATE_MS = 30_000;
const TAKES_MS = 200;

/** Somebody who is told. Outlives the processes that tell. */
export class Other {
  readonly clock: TestClock;
  /** Everything that took effect, in order: `key=value`. */
  readonly heard: string[] = [];
  readonly mishaps: (Mishap | undefined)[] = [];
  /** What was sent before it was durable. */
  readonly early: string[] = [];
  /** Everything fails while it is down. */
  down = false;
  tries = 0;
  #number = 0;
  readonly #shows = new Map<string, string>();

  constructor(clock: TestClock) {
    this.clock = clock;
  }

  /** What it shows for a key. */
  shows(key = "web"): string | undefined {
    return this.#shows.get(key);
  }

  async receive(key: string, value: string, signal: AbortSignal): Promise<Result<Json>> {
    this.tries += 1;
    const mishap = this.down ? "lost" : this.mishaps.shift();
    if (mishap === "late") this.clock.after(LATE_MS, () => this.#hear(key, value));
    await this.clock.sleep(mishap === "silent" ? 10 * 60_000 : TAKES_MS, signal);
    if (mishap === "refused") return failure(problem("SEND_REFUSED", "422: not like this"));
    if (mishap === undefined || mishap === "answer lost") this.#hear(key, value);
    return mishap === undefined ? success(this.#number) : failure(problem("NOT_SENT", `the answer was ${mishap}`));
  }

  #hear(key: string, value: string): void {
    this.#number += 1;
    this.heard.push(`${key}=${value}`);
    this.#shows.set(key, value);
  }
}

/** One process that tells `other` the value of its input. */
export interface Telling {
  readonly rig: Rig;
  readonly other: Other;
  readonly outbox: Outbox;
  readonly sender: Sender<string>;
  /** `key=value`, or a value for the key `web`. */
  readonly input: DummyInput<string>;
  readonly term: Term<Json>;
  readonly shows: () => string;
  readonly pass: (ms?: number) => Promise<void>;
  readonly restart: (value?: string, more?: Pick<RigOptions, "dies">) => Promise<Telling>;
}

type More = RigOptions & Partial<Pick<Sender<string>, "coalesceMs" | "overwrites" | "abandoned" | "forgets">>;

export function telling(options: More = {}, value?: string): Telling {
  const clock = options.clock ?? new TestClock();
  return on(createRig({ ...options, clock }), new Other(clock), options, value);
}

const keyOf = (value: string): string => (value.includes("=") ? (value.split("=")[0] ?? "") : "web");

function on(rig: Rig, other: Other, options: More, value?: string): Telling {
  const { coalesceMs, overwrites = true, abandoned, forgets = false } = options;
  const sender: Sender<string> = {
    kind: "other",
    want: textCodec,
    overwrites,
    forgets,
    ...(coalesceMs === undefined ? {} : { coalesceMs }),
    ...(abandoned === undefined ? {} : { abandoned }),
    send: async (want, _confirmed, signal) => {
      if (!rig.alive(`before send ${want}`)) return new Promise<never>(() => {});
      if (rig.store.queries.outboxOf(`other ${keyOf(want)}`)?.want !== want) other.early.push(want);
      const result = await other.receive(keyOf(want), want.split("=").at(-1) ?? "", signal);
      return rig.alive(`after send ${want}`) ? result : new Promise<never>(() => {});
    },
  };
  const outbox = new Outbox(rig.engine);
  outbox.register(sender);
  const input = dummyInput(rig.engine, box("value"), ...(value === undefined ? [] : [value]));
  const term = wanted(rig.engine, box("told"), outbox, sender, keyOf, input.term);
  return {
    rig,
    other,
    outbox,
    sender,
    input,
    term,
    shows: () => shown(term),
    pass: (ms = 60_000) => rig.clock.advance(ms),
    restart: async (next, more = {}) => {
      outbox.stop();
      return on(await rig.restart(more), other, options, next);
    },
  };
}
