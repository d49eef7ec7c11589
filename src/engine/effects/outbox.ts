import { setMaxListeners } from "node:events";
import type { Subscription } from "rxjs";
import type { Failure } from "../../term/output.ts";
import type { Engine } from "../engine.ts";
import type { Level } from "../level.ts";
import { Pool } from "../pool.ts";
import type { OutboxRow } from "../store/store.ts";
import { OutboxItem } from "./outbox-item.ts";
import { KEPT_MS, type Keeper } from "./outbox-keeper.ts";
import type { Sender } from "./sender.ts";

export type { Sender } from "./sender.ts";

/** Telling others changes nothing that runs, but everybody sees it. */
const LEVEL: Level = "above-average";
/** Sends of one kind at the same time: one kind whose other side hangs holds up no other. */
const SENDS_AT_ONCE = 8;

/** The first time only when all sources have been read, as a rule: who wants something has said so by then. */
const TIDY_FIRST_MS = 6 * 60 * 60_000;
const TIDY_EVERY_MS = 60 * 60_000;
/** What is still wanted is recorded as such once in so long, and not all of it in the same hour. */
const TOUCH_MS = KEPT_MS / 4;
const TOUCHES_MAX = 500;

/** A key that is not at rest, for people. */
export interface Unsent {
  readonly kind: string;
  readonly key: string;
  readonly trouble: Failure | undefined;
  /** For how long it has been wanted without being confirmed. */
  readonly waitsMs: number;
}

/** A sender as the outbox knows it. */
interface Known {
  readonly items: Map<string, Pick<OutboxItem<never>, "pending" | "trouble" | "waitsMs" | "retryRefused" | "touch">>;
  readonly pool: Pool;
  readonly forgets: boolean;
}

/** Somebody who keeps a key up: while there is one, it is not abandoned. */
export interface Claim<Want> {
  readonly item: OutboxItem<Want>;
  release(): void;
}

/**
 * The third way out: what others are to be told. Per key only the newest wanted value counts; it is durable before it
 * is sent, and sent until the other side has confirmed it, also by the next process.
 *
 * Nothing is sent when what is wanted equals what is confirmed. A transient failure is tried again with back-off for
 * ever; any other is shown, and tried again rarely for as long as somebody wants it and a month longer.
 */
export class Outbox {
  readonly #engine: Engine;
  readonly #stopping = new AbortController();
  readonly #kinds = new Map<string, Known>();
  readonly #left: Map<string, OutboxRow>;
  readonly #waiting = new Set<() => void>();
  readonly #watching: Subscription;
  #tidying: Subscription | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    setMaxListeners(0, this.#stopping.signal); // one for each that waits for its place
    this.#left = new Map(engine.store.queries.openOutbox().map((row) => [row.key, row]));
    this.#watching = engine.confirm.changes.subscribe(() => this.#go());
    this.#watching.add(engine.steps.subscribe({ complete: () => this.stop() }));
    this.#tidyAfter(TIDY_FIRST_MS);
  }

  /** Takes up what an earlier process left unsent. Once a sender, before or after its first key. */
  register<Want>(sender: Sender<Want>): void {
    this.#itemsOf(sender);
  }

  /** Wants a value for a key that nobody has to keep up. May be called inside a step. */
  want<Want>(sender: Sender<Want>, key: string, value: Want): void {
    this.#item(sender, key).want(value);
  }

  /** The other side was made to forget what it confirmed (a check that somebody wants to run again, say). */
  again<Want>(sender: Sender<Want>, key: string): void {
    this.#item(sender, key).again();
  }

  /** What was refused is sent once more: a right may have been granted since. */
  retryRefused(): void {
    for (const { items } of this.#kinds.values()) for (const item of items.values()) item.retryRefused();
  }

  /** The item of a key, held until `release`: a key without holders is abandoned after a while. */
  claim<Want>(sender: Sender<Want>, key: string): Claim<Want> {
    const item = this.#item(sender, key);
    item.acquire();
    return { item, release: () => item.release() };
  }

  /** Whether the confirm threshold holds everything back. */
  get held(): boolean {
    return this.#engine.confirm.holds(LEVEL);
  }

  /** What is not confirmed yet. */
  unsent(): readonly Unsent[] {
    return [...this.#kinds].flatMap(([kind, { items }]) =>
      [...items].flatMap(([key, { pending, trouble, waitsMs }]) =>
        pending ? [{ kind, key: key.slice(kind.length + 1), trouble, waitsMs }] : [],
      ),
    );
  }

  /** Nothing more is sent; what is not confirmed is left to the next process. Also when the engine is closed. */
  stop(): void {
    this.#stopping.abort("Millrace is being stopped");
    this.#watching.unsubscribe();
    this.#tidying?.unsubscribe();
    this.#go();
  }

  #tidyAfter(delayMs: number): void {
    this.#tidying = this.#engine.clock.after(delayMs, () => {
      this.#tidy();
      this.#tidyAfter(TIDY_EVERY_MS);
    });
  }

  /** Records what is still wanted, then forgets what nobody has wanted for long. */
  #tidy(): void {
    const { clock, journal } = this.#engine;
    let touched = 0;
    for (const { items } of this.#kinds.values())
      for (const item of items.values()) if (touched < TOUCHES_MAX && item.touch(TOUCH_MS)) touched += 1;
    const wantedMs = clock.now() - KEPT_MS;
    for (const [kind, { forgets }] of this.#kinds)
      if (forgets) journal.note({ put: "outboxBefore", row: { kind, wantedMs } });
  }

  #item<Want>(sender: Sender<Want>, key: string): OutboxItem<Want> {
    const items = this.#itemsOf(sender);
    const name = `${sender.kind} ${key}`;
    const known = items.get(name);
    // Kinds are unique, so what is kept under this one is of this very sender.
    if (known instanceof OutboxItem) return known;
    const made = new OutboxItem(this.#keeper(items), sender, name, this.#engine.store.queries.outboxOf(name));
    items.set(name, made);
    return made;
  }

  #itemsOf<Want>(sender: Sender<Want>): Known["items"] {
    const known = this.#kinds.get(sender.kind);
    if (known !== undefined) return known.items;
    const made: Known = {
      items: new Map(),
      pool: new Pool(sender.kind, SENDS_AT_ONCE),
      forgets: sender.forgets === true,
    };
    this.#kinds.set(sender.kind, made);
    for (const [key, row] of this.#left) {
      if (!key.startsWith(`${sender.kind} `)) continue;
      this.#left.delete(key);
      const item = new OutboxItem(this.#keeper(made.items), sender, key, row);
      made.items.set(key, item);
      item.resume();
    }
    return made.items;
  }

  #keeper(items: Known["items"]): Keeper {
    const { confirm } = this.#engine;
    return {
      engine: this.#engine,
      signal: this.#stopping.signal,
      get held() {
        return confirm.holds(LEVEL);
      },
      place: (kind) => this.#place(kind),
      rests: (key) => void items.delete(key),
    };
  }

  async #place(kind: string): Promise<(() => void) | undefined> {
    const { signal } = this.#stopping;
    for (;;) {
      while (this.#engine.confirm.holds(LEVEL) && !signal.aborted)
        await new Promise<void>((resolve) => void this.#waiting.add(resolve));
      const leave = await this.#kinds.get(kind)?.pool.acquire(signal);
      if (leave === undefined || !this.#engine.confirm.holds(LEVEL)) return leave;
      leave();
    }
  }

  #go(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const go of waiting) go();
  }
}
