/**
 * Makes plain data unchangeable, all the way down. Anything that is not plain (an instance, a function) is left as it
 * is, for `validate` to refuse. Cycles are harmless: what is frozen is not visited again.
 */
export function freeze<T>(value: T): T {
  if (!isPlain(value) || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
  return value;
}

/** Whether it is an object or array literal, as JSON has them. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
