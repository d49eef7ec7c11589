import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { SessionRow } from "../store/store.ts";
import { type Identity, identityJson, identityOf, nameOf, whoOf } from "./identity.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Holders of a token sign in again each day: a token can be read from a file, and nobody notices. */
const TOKEN_LIFE_MS = DAY_MS / 2;
const PERSON_LIFE_MS = 7 * DAY_MS;
/** Bounds a script that never signs out. */
const SESSIONS_MAX = 1_000;

/** Somebody who is signed in. What the browser holds is not in it, only what follows from that one way. */
export interface Session {
  /** SHA-256 of what the browser holds. */
  readonly hash: string;
  /** Goes into every form; a POST without it changes nothing. */
  readonly csrf: string;
  readonly identity: Identity;
  readonly openedMs: number;
  readonly expiresMs: number;
  /** Shown once on the next page: the outcome of an action. */
  notice?: { readonly good: boolean; readonly text: string };
}

/** Where sessions outlive the process; without it they end with it. */
export interface SessionKeeper {
  load(): readonly SessionRow[];
  /** Resolves once it is durable; never rejects. */
  put(row: SessionRow): Promise<void>;
}

interface Open {
  readonly row: number;
  readonly session: Session;
  /** When it is over, on the clock that nobody sets: the other one only counts across a restart. */
  readonly endsMs: number;
}

/**
 * Sessions, in memory and in the store. Only their hashes are kept, so that a copy of the store opens nothing; a row is
 * used again when its session is over. Visits without one store nothing.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #keeper: SessionKeeper | undefined;
  /** Oldest first, by hash. */
  readonly #open = new Map<string, Open>();
  readonly #free: number[] = [];
  #rows = 0;

  constructor(clock: Clock, keeper?: SessionKeeper) {
    this.#clock = clock;
    this.#keeper = keeper;
    for (const row of (keeper?.load() ?? []).toSorted((a, b) => a.openedMs - b.openedMs)) this.#restore(row);
  }

  #restore(row: SessionRow): void {
    this.#rows = Math.max(this.#rows, row.id);
    const identity = identityOf(row.identity);
    if (row.hash === "" || row.expiresMs <= this.#clock.now() || identity === undefined) {
      this.#free.push(row.id);
      return;
    }
    const { hash, openedMs, expiresMs } = row;
    // Never longer than its life, even if the clock was wrong when it was opened, or is now.
    const leftMs = Math.min(expiresMs - this.#clock.now(), lifeOf(identity));
    const session = { hash, csrf: csrfOf(hash), identity, openedMs, expiresMs };
    this.#open.set(hash, { row: row.id, session, endsMs: this.#clock.elapsed() + leftMs });
  }

  /** A new session under a new secret; `old` ends, so that a planted one is worth nothing. Not waited for. */
  open(identity: Identity, old?: Session): { readonly secret: string; readonly session: Session } {
    if (old !== undefined) void this.close(old);
    for (const { session } of this.#open.values()) if (!this.#alive(session)) void this.close(session);
    const one = this.#open.size >= SESSIONS_MAX ? this.#spare() : undefined;
    if (one !== undefined) void this.close(one);
    const secret = randomBytes(32).toString("base64url");
    const hash = hashOf(secret);
    const openedMs = this.#clock.now();
    const expiresMs = openedMs + lifeOf(identity);
    const session: Session = { hash, csrf: csrfOf(hash), identity, openedMs, expiresMs };
    const row = this.#free.pop() ?? (this.#rows += 1);
    this.#open.set(hash, { row, session, endsMs: this.#clock.elapsed() + lifeOf(identity) });
    void this.#keeper?.put({ id: row, hash, identity: identityJson(identity), openedMs, expiresMs });
    return { secret, session };
  }

  /** The oldest of whoever has most: anybody at all may sign in, and must not end other people's by doing so often. */
  #spare(): Session | undefined {
    const counts = new Map<string, { readonly oldest: Session; count: number }>();
    let most: { readonly oldest: Session; count: number } | undefined;
    for (const { session } of this.#open.values()) {
      const who = whoOf(session.identity);
      const one = counts.get(who) ?? { oldest: session, count: 0 };
      counts.set(who, one);
      one.count += 1;
      if (one.count > (most?.count ?? 0)) most = one;
    }
    return most?.oldest;
  }

  /** The session of what a browser holds. */
  find(secret: string): Session | undefined {
    const open = this.#open.get(hashOf(secret));
    return open !== undefined && this.#alive(open.session) ? open.session : undefined;
  }

  /** Ends a session for good: resolves once that is durable. */
  async close(session: Session): Promise<void> {
    const open = this.#open.get(session.hash);
    if (open === undefined) return;
    this.#open.delete(session.hash);
    this.#free.push(open.row);
    await this.#keeper?.put({ id: open.row, hash: "", identity: null, openedMs: 0, expiresMs: 0 });
  }

  /** Those of one person or token, named as in the audit log; also by a login alone, whoever has it. */
  of(who: string): readonly Session[] {
    return this.list().filter(({ identity }) => whoOf(identity) === who || nameOf(identity) === who);
  }

  /** Those that are open, oldest first. */
  list(): readonly Session[] {
    return [...this.#open.values()].map(({ session }) => session).filter((session) => this.#alive(session));
  }

  #alive({ hash }: Session): boolean {
    const open = this.#open.get(hash);
    return open !== undefined && open.endsMs > this.#clock.elapsed();
  }
}

const lifeOf = ({ kind }: Identity): number => (kind === "person" ? PERSON_LIFE_MS : TOKEN_LIFE_MS);

export const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** The hash alone is no secret of the browser's, but nobody outside ever sees it. */
const csrfOf = (hash: string): string => createHash("sha256").update(`form ${hash}`).digest("base64url");
