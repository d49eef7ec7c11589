import { createHash } from "node:crypto";
import { assert, json, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { canonical, digestOf } from "../../../src/engine/cache/digest.ts";
import type { Json } from "../../../src/engine/json.ts";

const isJson = (value: unknown): value is Json => value !== undefined;
function jsonIn(text: string): Json {
  const value: unknown = JSON.parse(text);
  if (!isJson(value)) throw new Error("unreachable: JSON holds no undefined");
  return value;
}
const isRecord = (value: Json): value is { readonly [name: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The same value with the fields of all its records in the opposite order. */
function turned(value: Json): Json {
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, field]) => [name, turned(field)]),
  );
}

describe("the digest of a key", () => {
  it("is the one that earlier versions have stored results under", () => {
    const commit = "0000000000000000000000000000000000000fff";
    expect(digestOf({ version: 1, key: { commit } })).toBe(
      createHash("sha256").update(`{"key":{"commit":"${commit}"},"version":1}`).digest("hex"),
    );
    expect(canonical({ b: [1, null, true, "é\n"], a: {}, B: [] })).toBe('{"B":[],"a":{},"b":[1,null,true,"é\\n"]}');
  });

  it("does not depend on the order of fields, and is another one for every other value", () => {
    assert(
      property(json(), json(), (text, other) => {
        const value = jsonIn(text);
        expect(canonical(turned(value))).toBe(canonical(value));
        expect(jsonIn(canonical(value))).toEqual(value);
        expect(digestOf(value) === digestOf(jsonIn(other))).toBe(canonical(value) === canonical(jsonIn(other)));
      }),
    );
  });

  it.each([
    ["undefined", undefined],
    ["NaN", Number.NaN],
    ["a field that is undefined", { a: undefined }],
    ["a function", [() => {}]],
    ["a number without end", { a: Number.POSITIVE_INFINITY }],
  ])("is refused to what is not JSON, which could look equal to something else: %s", (_name, value: unknown) => {
    expect(() => Reflect.apply(digestOf, undefined, [value])).toThrow(TypeError);
  });
});
