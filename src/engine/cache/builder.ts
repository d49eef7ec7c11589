import type { Result } from "../../term/output.ts";
import type { Job } from "../job.ts";
import type { Codec, Json } from "../json.ts";
import type { Level } from "../level.ts";

/**
 * A cached operation, key → value, that may always be run again: it changes nothing but our own things.
 *
 * What makes the world equal to a value is a target or the outbox, never a builder.
 */
export interface Builder<Context, Key, Value> {
  /** Short, unique and permanent: part of the cache key and of the job id, such as `docker-build`. */
  readonly id: string;
  /** Raised when the operation changes meaning, so that old results are not used again. */
  readonly version: number;
  readonly level: Level;
  /** Whether a run may be cancelled because its key is no longer wanted. */
  readonly autoCancel: boolean;
  /** Everything that decides the value, as JSON. Its digest is the cache key; each field says why it is there. */
  key(key: Key): Json;
  readonly value: Codec<Value>;
  /** One line for logs, plans and pages: what would be run. */
  describe(key: Key): string;
  /** The inputs by name, readable; recorded with each job so that "why did it run" is a query. */
  inputs(key: Key): Readonly<Record<string, string>>;
  build(context: Context, key: Key, job: Job): Promise<Result<Value>>;
}
