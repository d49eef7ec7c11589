/**
 * A keyed set of values, such as the branches of a repository, that knows what changed since the one before.
 *
 * `with` and `without` share their entries with the collection they were made from, so that one change among 20,000
 * costs the same as among 20; the older collection must not be read after that, and says so.
 */
export class Collection<T> {
  readonly #shared: { readonly entries: Map<string, T>; newest: number };
  readonly #version: number;
  /** Keys that differ from the previous version; undefined for a collection made anew. */
  readonly changedKeys: readonly string[] | undefined;

  private constructor(
    shared: { readonly entries: Map<string, T>; newest: number },
    version: number,
    changedKeys: readonly string[] | undefined,
  ) {
    this.#shared = shared;
    this.#version = version;
    this.changedKeys = changedKeys;
    shared.newest = version;
  }

  /** @throws {TypeError} on an item that is undefined: it could not be told from one that is not there. */
  static of<T>(entries: Iterable<readonly [string, T]>): Collection<T> {
    const made = new Map(entries);
    for (const [key, value] of made) defined(key, value);
    return new Collection({ entries: made, newest: 0 }, 0, undefined);
  }

  get entries(): ReadonlyMap<string, T> {
    if (this.#version !== this.#shared.newest)
      throw new Error("this collection was changed since: read the newest one");
    return this.#shared.entries;
  }

  get size(): number {
    return this.entries.size;
  }

  /** The collection with these entries set and those keys taken away. */
  change(set: Iterable<readonly [string, T]>, remove: Iterable<string> = []): Collection<T> {
    void this.entries; // refuses a stale one
    const { entries } = this.#shared;
    const changed: string[] = [];
    for (const key of remove) if (entries.delete(key)) changed.push(key);
    for (const [key, value] of set) {
      entries.set(key, defined(key, value));
      changed.push(key);
    }
    return new Collection(this.#shared, this.#version + 1, changed);
  }

  with(key: string, value: T): Collection<T> {
    return this.change([[key, value]]);
  }

  without(key: string): Collection<T> {
    return this.change([], [key]);
  }

  /** Whether this one was made directly from `earlier`, so that `changedKeys` is all that differs. */
  follows(earlier: Collection<T>): boolean {
    return this.#shared === earlier.#shared && this.#version === earlier.#version + 1;
  }

  /** The keys in which this may differ from `earlier` (removed ones too). */
  differsFrom(earlier: Collection<T> | undefined, seen: ReadonlyMap<string, unknown>): readonly string[] {
    if (earlier !== undefined && this.changedKeys !== undefined && this.follows(earlier)) return this.changedKeys;
    return [...new Set([...seen.keys(), ...this.entries.keys()])];
  }
}

function defined<T>(key: string, value: T): T {
  if (value === undefined)
    throw new TypeError(`item ${JSON.stringify(key)} of a collection is undefined: leave it out, or use null`);
  return value;
}
