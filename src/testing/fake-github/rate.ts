import type { Clock } from "../../engine/clock.ts";
import type { Caller } from "./credentials.ts";

const HOUR_MS = 3_600_000;

export interface Rate {
  readonly limit: number;
  readonly remaining: number;
  readonly used: number;
  /** Seconds since 1970. */
  readonly reset: number;
}

/** Requests in an hour, counted for each installation, person and address. */
export class Rates {
  /** How many an hour; tests make them small. */
  limits = { nobody: 60, installation: 5_000, user: 5_000 };
  readonly #clock: Clock;
  readonly #used = new Map<string, { used: number; resetMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Where the caller stands; the app itself has no limit. */
  of(caller: Caller): Rate | undefined {
    const [key, limit] = this.#keyOf(caller);
    if (key === undefined) return undefined;
    const { used, resetMs } = this.#window(key);
    return { limit, used, remaining: Math.max(0, limit - used), reset: Math.ceil(resetMs / 1000) };
  }

  count(caller: Caller): void {
    const [key] = this.#keyOf(caller);
    if (key !== undefined) this.#window(key).used += 1;
  }

  /** Nobody has anything left until then. */
  exhaust(resetMs: number, caller: Caller): void {
    const [key, limit] = this.#keyOf(caller);
    if (key !== undefined) this.#used.set(key, { used: limit, resetMs });
  }

  #window(key: string): { used: number; resetMs: number } {
    const now = this.#clock.now();
    const known = this.#used.get(key);
    if (known !== undefined && known.resetMs > now) return known;
    const fresh = { used: 0, resetMs: now + HOUR_MS };
    this.#used.set(key, fresh);
    return fresh;
  }

  #keyOf(caller: Caller): readonly [string | undefined, number] {
    if (caller.who === "nobody") return ["nobody", this.limits.nobody];
    if (caller.who === "user") return [`user ${caller.user.id}`, this.limits.user];
    if (caller.who === "installation") return [`installation ${caller.installation.id}`, this.limits.installation];
    return [undefined, 0];
  }
}
