import { createHash } from "node:crypto";
import type { Json } from "../json.ts";

/**
 * JSON with sorted field names, so that equal values have equal text.
 *
 * @throws {TypeError} on `undefined`, `NaN` and functions: two different values would look equal.
 * @source RFC 8785, for strings, safe numbers, arrays and records.
 */
export function canonical(json: Json): string {
  if (Array.isArray(json)) return `[${json.map(canonical).join(",")}]`;
  if (typeof json === "object" && json !== null) {
    const fields = Object.entries(json).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${canonical(value)}`).join(",")}}`;
  }
  if (typeof json === "number" && !Number.isFinite(json)) throw new TypeError(`${json} has no JSON text`);
  const text: string | undefined = JSON.stringify(json);
  if (text === undefined) throw new TypeError(`a ${typeof json} has no JSON text`);
  return text;
}

/**
 * SHA-256 of the canonical text, 64 lower-case hex digits: equal digests mean equal inputs.
 *
 * Field order does not matter; field names do, so renaming one runs everything again once.
 *
 * @example digestOf({ a: 1, b: 2 }) === digestOf({ b: 2, a: 1 })
 */
export const digestOf = (json: Json): string => createHash("sha256").update(canonical(json)).digest("hex");
