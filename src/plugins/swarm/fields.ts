/** A JSON object as an engine sent it. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What lies at `path` below `value`; undefined when something on the way is missing. */
export function dig(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) at = isFields(at) ? at[name] : undefined;
  return at;
}

/** The text at `path`, or "". */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = dig(value, ...path);
  return typeof found === "string" ? found : "";
}

/** The number at `path`, or `absent` (0). */
export function numberAt(value: unknown, path: readonly string[], absent = 0): number {
  const found = dig(value, ...path);
  return typeof found === "number" ? found : absent;
}

/** The list at `path`, or an empty one. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found: unknown = dig(value, ...path);
  return Array.isArray(found) ? found : [];
}
