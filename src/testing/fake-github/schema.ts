import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Compile } from "typebox/schema";
import type { Json } from "../../engine/json.ts";

/** A JSON Schema; references are names of `schemas`. */
export type Schema = { readonly [keyword: string]: Json };
export type Shape = { readonly [name: string]: Json };

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: Schema;
}

export interface Operation {
  readonly parameters: readonly Parameter[];
  readonly body?: Schema;
  /** By status; null: an answer without JSON. */
  readonly answers: { readonly [status: string]: Schema | null };
}

interface Description {
  readonly version: string;
  readonly operations: { readonly [name: string]: Operation };
  /** What webhooks bring, by event and action: "pull-request-opened". */
  readonly events: { readonly [name: string]: Schema };
  readonly schemas: { readonly [name: string]: Schema };
}

/** What is filled in for required dates and addresses that nobody reads. */
const SOME_DATE = "2020-01-01T00:00:00Z";
const SOME_URL = "https://github.example/filled";

export const isShape = (json: Json | undefined): json is Shape =>
  typeof json === "object" && json !== null && !Array.isArray(json);
const isSchema = isShape;
const schemasIn = (json: Json | undefined): readonly Schema[] => (Array.isArray(json) ? json.filter(isSchema) : []);

let loaded: Description | undefined;
/** The part of GitHub's published description that is served: an extract of `@octokit/openapi` (`npm run openapi`). */
function description(): Description {
  loaded ??= described(JSON.parse(readFileSync(join(import.meta.dirname, "openapi.json"), "utf8")));
  return loaded;
}

function described(json: unknown): Description {
  if (isDescription(json)) return json;
  throw new Error("openapi.json is no description of operations and schemas: run npm run openapi");
}

const isDescription = (json: unknown): json is Description =>
  typeof json === "object" && json !== null && "operations" in json && "events" in json && "schemas" in json;

export function operationOf(name: string): Operation | undefined {
  return description().operations[name];
}

export const eventSchema = (name: string): Schema | undefined => description().events[name];
export const describedEvents = (): readonly string[] => Object.keys(description().events);
export const describedOperations = (): readonly string[] => Object.keys(description().operations);

const validators = new Map<Schema, ReturnType<typeof Compile>>();

/** What is wrong with a value by the schema, one sentence each; nothing: it is valid. */
export function faults(schema: Schema, value: unknown): readonly string[] {
  const validator = validators.get(schema) ?? Compile(description().schemas, schema);
  validators.set(schema, validator);
  if (validator.Check(value)) return [];
  const [, errors] = validator.Errors(value);
  return errors.slice(0, 5).map((error) => `${error.instancePath === "" ? "it" : error.instancePath} ${error.message}`);
}

/** Names in the value that the schema does not know: GitHub would ignore, or not give, them. */
export function unknownNames(schema: Schema, value: Json | undefined, path = ""): readonly string[] {
  const one = resolved(schema);
  if (Array.isArray(value)) {
    const { items } = one;
    return isSchema(items) ? [...new Set(value.flatMap((item: Json) => unknownNames(items, item, `${path}/*`)))] : [];
  }
  const { properties } = one;
  const isOpen = one["additionalProperties"] !== undefined && one["additionalProperties"] !== false;
  if (!isShape(value) || !isShape(properties) || isOpen || "allOf" in one || "anyOf" in one || "oneOf" in one)
    return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const inSchema = properties[name];
    return isSchema(inSchema) ? unknownNames(inSchema, inner, `${path}/${name}`) : [`${path}/${name}`];
  });
}

/** The value with everything that the schema requires and that is not there: so shapes say only what means something. */
export function complete(schema: Schema, value?: Json): Json {
  const one = resolved(schema);
  const options = [...schemasIn(one["anyOf"]), ...schemasIn(one["oneOf"])];
  if (options.length > 0) return completeOneOf(options, value);
  const parts = schemasIn(one["allOf"]);
  if (parts.length > 0) return parts.reduce<Json>((made, part) => complete(part, made), value ?? {});
  const types = [one["type"]].flat();
  if (value === null || (value === undefined && types.includes("null"))) return null;
  if (types.includes("object") || isShape(one["properties"])) return completeObject(one, value);
  if (types.includes("array")) return completeArray(one, value);
  return value ?? simple(one, types);
}

function resolved(schema: Schema): Schema {
  const name = schema["$ref"];
  if (typeof name !== "string") return schema;
  const named = description().schemas[name];
  if (named === undefined) throw new Error(`openapi.json has no schema ${name}: run npm run openapi`);
  return resolved(named);
}

function completeOneOf(options: readonly Schema[], value: Json | undefined): Json {
  if (value === undefined && options.some((option) => option["type"] === "null")) return null;
  const made = options.map((option) => ({ option, value: complete(option, value) }));
  const fitting = made.find(({ option, value: whole }) => faults(option, whole).length === 0);
  return (fitting ?? made[0])?.value ?? null;
}

/** What was completed already, by object and schema. */
const completed = new WeakMap<Shape, Map<Schema, Json>>();

function completeObject(schema: Schema, value: Json | undefined): Json {
  if (value !== undefined && !isShape(value)) return value;
  if (value === undefined) return wholeObject(schema, {});
  const known = completed.get(value) ?? new Map<Schema, Json>();
  completed.set(value, known);
  const whole = known.get(schema) ?? wholeObject(schema, value);
  known.set(schema, whole);
  return whole;
}

function wholeObject(schema: Schema, value: Shape): Json {
  const properties = isShape(schema["properties"]) ? schema["properties"] : {};
  const required = [schema["required"] ?? []].flat().filter((name) => typeof name === "string");
  const own = Object.entries(value).map(([name, inner]) => {
    const inSchema = properties[name];
    return [name, isSchema(inSchema) ? complete(inSchema, inner) : inner] as const;
  });
  const missing = required.filter((name) => !(name in value));
  const filled = missing.map((name) => {
    const inSchema = properties[name];
    return [name, isSchema(inSchema) ? complete(inSchema) : ""] as const;
  });
  return Object.fromEntries([...own, ...filled]);
}

function completeArray(schema: Schema, value: Json | undefined): Json {
  const { items } = schema;
  if (!Array.isArray(value)) return value ?? [];
  return isSchema(items) ? value.map((item: Json) => complete(items, item)) : value;
}

function simple(schema: Schema, types: readonly (Json | undefined)[]): Json {
  const [first] = [schema["enum"] ?? []].flat();
  if (first !== undefined) return first;
  if (types.includes("boolean")) return false;
  if (types.includes("integer") || types.includes("number")) return 0;
  if (schema["format"] === "date-time") return SOME_DATE;
  if (schema["format"] === "uri") return SOME_URL;
  return types.includes("string") ? "0".repeat(Number(schema["minLength"] ?? 0)) : {};
}
