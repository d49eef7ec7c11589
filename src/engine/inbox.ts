import { type Observable, Subject, Subscription } from "rxjs";
import { failure, type Result } from "../term/output.ts";
import { Announced } from "./announced.ts";
import { backoffMs } from "./backoff.ts";
import type { Engine } from "./engine.ts";
import { problem } from "./errors.ts";
import { type DurableHints, type Hint, type HintHandler, hintCodec } from "./inbound.ts";
import { type InboxRow, StoreFull } from "./store/store.ts";

/** Longer than any forge sends a delivery again. */
const KEPT_MS = 14 * 24 * 60 * 60 * 1000;
const TIDY_EVERY_MS = 60 * 60 * 1000;
/** A handler that has not managed for so long never will: the sweep has found the same thing by then. */
const TRIES_MAX = 200;

/** A delivery that was checked. */
export interface Delivery {
  /** Unique among all forges: it begins with the forge's name. */
  readonly id: string;
  /** As the forge calls it: push, pull_request, … */
  readonly kind: string;
  /** SHA-256 of the body, in hex. */
  readonly bodyDigest: string;
  /** Undefined: nothing in it is for us. */
  readonly hint: Hint | undefined;
}

/** taken: durable, and being acted on · known: it was acted on before, or is · full: nothing can be stored. */
export type Receipt = "taken" | "known" | "full";

/**
 * What forges tell us: durable before it is confirmed, and acted on at least once, by the next process if need be.
 *
 * A delivery that comes again is known by its name: when it was acted on, nothing happens any more.
 */
export class Inbox implements DurableHints {
  readonly changes: Observable<Hint>;
  readonly #hints = new Subject<Hint>();
  readonly #handlers: HintHandler[] = [];
  readonly #engine: Engine;
  readonly #open = new Set<string>();
  /** Those that are not durable yet. */
  readonly #storing = new Map<string, Promise<Receipt>>();
  /** Until the engine is closed. */
  readonly #timers = new Subscription();
  readonly #announced: Announced;
  #lastMs: number | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#announced = new Announced(engine.clock);
    this.changes = this.#hints.asObservable();
    this.#lastMs = engine.store.queries.lastInboxMs();
    engine.steps.subscribe({ complete: () => this.#timers.unsubscribe() });
  }

  /** When the newest delivery came in, also before this start; undefined when there never was one. */
  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  /** When something had moved that no delivery has told of; undefined while they come as they should. */
  get missedMs(): number | undefined {
    return this.#announced.missedMs;
  }

  unannounced(): void {
    this.#announced.moved();
  }

  /** How many are not acted on yet. */
  get open(): number {
    return this.#open.size;
  }

  /** Acts on each hint; a transient failure is tried again, and the delivery stays open until then. */
  handle(handler: HintHandler): void {
    this.#handlers.push(handler);
  }

  /** Acts on what an earlier process left, and forgets what is old. Call when all handlers are there. */
  start(): void {
    for (const row of this.#engine.store.queries.openInbox()) this.#begin(row, hintCodec.decode(row.hint));
    this.#tidy();
  }

  async receive(delivery: Delivery): Promise<Receipt> {
    const { id } = delivery;
    const storing = this.#storing.get(id);
    // The same came twice at once: neither is confirmed before it is durable.
    if (storing !== undefined) return (await storing) === "full" ? "full" : "known";
    if (this.#open.has(id) || this.#engine.store.queries.inbox(id) !== undefined) return "known";
    const taken = this.#take(delivery);
    this.#storing.set(id, taken);
    try {
      return await taken;
    } finally {
      this.#storing.delete(id);
    }
  }

  async #take(delivery: Delivery): Promise<Receipt> {
    const { store, clock } = this.#engine;
    const { hint } = delivery;
    const row: InboxRow = {
      delivery: delivery.id,
      kind: delivery.kind,
      bodyDigest: delivery.bodyDigest,
      hint: hint === undefined ? null : hintCodec.encode(hint),
      receivedMs: clock.now(),
      // What is not for us has been acted on by having been read.
      processedMs: hint === undefined ? clock.now() : null,
    };
    this.#open.add(delivery.id);
    try {
      await store.commit([{ put: "inbox", row }]);
    } catch (error) {
      this.#open.delete(delivery.id);
      if (error instanceof StoreFull) return "full";
      throw error;
    }
    this.#lastMs = row.receivedMs;
    if (hint?.kind === "refs") this.#announced.told();
    if (hint === undefined) this.#open.delete(delivery.id);
    else this.#begin(row, hint);
    return "taken";
  }

  #begin(row: InboxRow, hint: Hint | undefined): void {
    this.#open.add(row.delivery);
    if (hint !== undefined) this.#hints.next(hint);
    this.#engine.background(() => this.#act(row, hint, this.#handlers, 0));
  }

  /** Asks each handler until it has done its part, then records that the delivery is done with. */
  async #act(row: InboxRow, hint: Hint | undefined, handlers: readonly HintHandler[], tries: number): Promise<void> {
    const left: HintHandler[] = [];
    if (hint !== undefined)
      for (const handler of handlers) if (isTransient(await attempt(handler, hint))) left.push(handler);
    if (left.length > 0 && tries < TRIES_MAX) {
      const again = (): void => this.#engine.background(() => this.#act(row, hint, left, tries + 1));
      this.#after(backoffMs(tries, this.#engine.random()), again);
      return;
    }
    await this.#engine.journal.save({ put: "inbox", row: { ...row, processedMs: this.#engine.clock.now() } });
    this.#open.delete(row.delivery);
  }

  #tidy(): void {
    const { clock, journal } = this.#engine;
    journal.note({ put: "inboxBefore", row: { receivedMs: clock.now() - KEPT_MS } });
    this.#after(TIDY_EVERY_MS, () => this.#tidy());
  }

  #after(delayMs: number, work: () => void): void {
    const timer = this.#engine.clock.after(delayMs, () => {
      timer.unsubscribe(); // and so forgotten
      work();
    });
    this.#timers.add(timer);
  }
}

const isTransient = (result: Result<void>): boolean => !result.ok && result.error.class === "transient";

/** Whatever comes from outside must not end the process, not even by way of a fault of ours. */
async function attempt(handler: HintHandler, hint: Hint): Promise<Result<void>> {
  try {
    return await handler(hint);
  } catch (error) {
    return failure(problem("PROGRAM_FAULT", error instanceof Error ? error.message : String(error)));
  }
}
