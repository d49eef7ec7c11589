import type { Result } from "../term/output.ts";
import type { Cache } from "./cache/cache.ts";
import type { JobId } from "./job.ts";

type Rebuild = () => Promise<Result<JobId>>;

/** What Rebuild does, by `<operation> <key>`: lanes say it themselves, the keys of builders are known to the cache. */
export class Rebuilders {
  readonly #engine: { readonly cache: Cache };
  readonly #own = new Map<string, Rebuild>();

  constructor(engine: { readonly cache: Cache }) {
    this.#engine = engine;
  }

  get(name: string): Rebuild | undefined {
    const own = this.#own.get(name);
    if (own !== undefined) return own;
    const end = name.indexOf(" "); // an operation has none: it is part of a job's id
    return this.#engine.cache.rebuilder(name.slice(0, end), name.slice(end + 1));
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, rebuild: Rebuild): void {
    this.#own.set(name, rebuild);
  }

  delete(name: string): void {
    this.#own.delete(name);
  }

  *keys(): Iterable<string> {
    yield* this.#own.keys();
    for (const [op, key] of this.#engine.cache.wanted()) yield `${op} ${key}`;
  }
}
