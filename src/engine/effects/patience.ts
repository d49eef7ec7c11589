import type { Failure } from "../../term/output.ts";
import { askedWaitMs } from "../asked-wait.ts";
import { backoffMs } from "../backoff.ts";
import type { Engine } from "../engine.ts";

/** What was refused is tried again within the hour, then later and later: a right may be granted without our hearing. */
const REFUSED_MS = 60 * 60_000;
const REFUSED_MS_MAX = 24 * 60 * 60_000;

/** When something that was not taken is sent again, and why it has to be. */
export class Patience {
  failure: Failure | undefined;
  /** Not before, by the clock that nobody sets. */
  untilMs = 0;
  /** Transient failures in a row. */
  tries = 0;
  #refusals = 0;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The other side does not want what was sent, as far as it is known. */
  get refused(): boolean {
    return this.failure !== undefined && this.failure.class !== "transient";
  }

  /** It was taken. */
  end(): void {
    this.forgive();
    this.untilMs = 0;
    this.tries = 0;
  }

  /** What was refused need not be refused now: another value is wanted, or somebody knows more. */
  forgive(): void {
    if (this.refused) this.untilMs = 0;
    this.#refusals = 0;
    this.failure = undefined;
  }

  take(error: Failure): void {
    const { clock } = this.#engine;
    const waitMs = error.class === "transient" ? this.#backOff(error) : this.#refusal();
    this.untilMs = clock.elapsed() + waitMs;
    this.failure = { ...error, retryAtMs: clock.now() + waitMs };
  }

  #backOff({ retryAtMs }: Failure): number {
    const waitMs = backoffMs(this.tries, this.#engine.random());
    this.tries += 1;
    return Math.max(waitMs, askedWaitMs(retryAtMs, this.#engine.clock.now()));
  }

  /** Spread over the second half, so that what was refused together does not come back together. */
  #refusal(): number {
    const ceiling = Math.min(REFUSED_MS_MAX, REFUSED_MS * 2 ** Math.min(this.#refusals, 16));
    this.#refusals += 1;
    return Math.round(ceiling * (0.5 + this.#engine.random() / 2));
  }
}
