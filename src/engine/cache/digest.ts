import { hash } from "node:crypto";
import type { Json } from "../json.ts";

/**
 * JSON with sorted field names, so that equal values have equal text.
 *
 * @throws {TypeError} on `undefined`, `NaN` and functions: two different values would look equal.
 * @source RFC 8785, for strings, safe numbers, arrays and records.
 */
export function canonical(json: Json): string {
  if (typeof json === "string") return JSON.stringify(json);
  if (isList(json)) return `[${json.map(canonical).join(",")}]`;
  if (typeof json === "object" && json !== null) return canonicalRecord(json);
  if (typeof json === "number" && !Number.isFinite(json)) throw new TypeError(`${json} has no JSON text`);
  const text: string | undefined = JSON.stringify(json);
  if (text === undefined) throw new TypeError(`a ${typeof json} has no JSON text`);
  return text;
}

/** The library's own guard does not know lists that are read-only. */
const isList = (json: Json): json is readonly Json[] => Array.isArray(json);

function canonicalRecord(record: Readonly<Record<string, Json>>): string {
  const text = (name: string): string => {
    const value = record[name];
    if (value === undefined) throw new TypeError(`field ${name} has no JSON text: it is undefined`);
    return `${JSON.stringify(name)}:${canonical(value)}`;
  };
  return `{${Object.keys(record).toSorted().map(text).join(",")}}`;
}

/**
 * SHA-256 of the canonical text, 64 lower-case hex digits: equal digests mean equal inputs.
 *
 * Field order does not matter; field names do, so renaming one runs everything again once.
 *
 * @example digestOf({ a: 1, b: 2 }) === digestOf({ b: 2, a: 1 })
 */
export const digestOf = (json: Json): string => hash("sha256", canonical(json), "hex");
