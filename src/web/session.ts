import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../engine/clock.ts";
import type { Secret } from "../engine/secret.ts";

const LIFE_MS = 12 * 60 * 60 * 1000;
/** Only holders of the token open sessions, so this bounds a script that never logs out. */
const SESSIONS_MAX = 1_000;
const FAILURES_MAX = 10;
const WINDOW_MS = 60_000;
const ADDRESSES_MAX = 10_000;

export interface Session {
  readonly id: string;
  /** Goes into every form; a POST without it changes nothing. */
  readonly csrf: string;
  readonly who: string;
  /** As `Clock.elapsed` tells: a clock that is set ends no session, and prolongs none. */
  readonly expiresMs: number;
  /** Shown once on the next page: the outcome of an action. */
  notice?: { readonly good: boolean; readonly text: string };
}

/** Sessions in memory: a restart ends them all, and the log-out revokes. Anonymous visits store nothing. */
export class Sessions {
  readonly #clock: Clock;
  readonly #open = new Map<string, Session>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new session with a new id; `old` ends, so that a planted id is worth nothing. */
  open(who: string, old: string | undefined): Session {
    if (old !== undefined) this.close(old);
    for (const session of this.#open.values()) this.#alive(session);
    const oldest = this.#open.keys().next();
    if (this.#open.size >= SESSIONS_MAX && oldest.done !== true) this.#open.delete(oldest.value);
    const session: Session = { id: random(), csrf: random(), who, expiresMs: this.#clock.elapsed() + LIFE_MS };
    this.#open.set(session.id, session);
    return session;
  }

  find(id: string): Session | undefined {
    const session = this.#open.get(id);
    return session !== undefined && this.#alive(session) ? session : undefined;
  }

  close(id: string): void {
    this.#open.delete(id);
  }

  #alive(session: Session): boolean {
    if (session.expiresMs > this.#clock.elapsed()) return true;
    this.#open.delete(session.id);
    return false;
  }
}

const random = (): string => randomBytes(32).toString("base64url");

/** Whether `given` is the secret, in a time that does not depend on where they differ. */
export function matches(given: string, secret: Secret): boolean {
  return same(given, secret.reveal());
}

export function same(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** Counts failed log-ins: ten a minute from one address, then nothing from it until the minute is over. */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { count: number; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the address may try again; 0 when it may now. */
  waitMs(address: string): number {
    const entry = this.#seen.get(address);
    if (entry === undefined || entry.count < FAILURES_MAX) return 0;
    return Math.max(0, entry.untilMs - this.#clock.elapsed());
  }

  failed(address: string): void {
    const now = this.#clock.elapsed();
    const entry = this.#seen.get(address);
    if (entry !== undefined && entry.untilMs > now) {
      entry.count += 1;
      return;
    }
    if (this.#seen.size >= ADDRESSES_MAX) this.#seen.clear();
    this.#seen.set(address, { count: 1, untilMs: now + WINDOW_MS });
  }
}
