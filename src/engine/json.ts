/** What can be stored, digested and shown: plain JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Turns stored JSON back into a value; `undefined` when it has another shape (an older version wrote it). */
export interface Codec<T> {
  encode(value: T): Json;
  decode(json: Json): T | undefined;
}
