import { type ErrorCode, problem } from "../../engine/errors.ts";
import { isPlain } from "../freeze.ts";
import type { Rule } from "../names.ts";
import { suggestion } from "../nearest.ts";
import type { Problem } from "../types.ts";

/** Collects what is wrong. `at` is the nearest line that is known. */
export class Report {
  readonly problems: Problem[] = [];

  add(at: string, code: ErrorCode, message: string, hint?: string): void {
    this.problems.push({ at, code, message, hint: hint ?? problem(code, message).hint ?? "" });
  }

  /** Applies a rule to a text; anything but a text is wrong too. True when all is well. */
  text(at: string, code: ErrorCode, what: string, value: unknown, rule: Rule): value is string {
    if (typeof value !== "string") {
      this.add(at, "WRONG_VALUE", `${what} must be a text, but is ${described(value)}`);
      return false;
    }
    const wrong = rule(value);
    if (wrong !== undefined) this.add(at, code, `${what} ${JSON.stringify(value)} ${wrong}`);
    return wrong === undefined;
  }

  /** Names every field that is not among the known ones. */
  fields(at: string, what: string, value: object, known: readonly string[]): void {
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue;
      this.add(at, "UNKNOWN_FIELD", `${what} has no field "${name}". ${suggestion(name, known)}`);
    }
  }
}

/** A record of `value`'s fields, or nothing when it is something else. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isRecord(value) ? value : undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isPlain(value) && !Array.isArray(value);

/** Whether one of the constructors made it, by its `kind`. */
export const isKind = (value: unknown, kind: string): boolean => recordOf(value)?.["kind"] === kind;

/** The line of a record, or that of what holds it. */
export function lineOf(value: unknown, otherwise: string): string {
  const at = recordOf(value)?.["at"];
  return typeof at === "string" ? at : otherwise;
}

/** A value of the wrong kind, for a person. */
export function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  const kind = recordOf(value)?.["kind"];
  if (typeof kind === "string") return kind === "from" ? "from(…)" : `${kind}(…)`;
  if (typeof value === "object") return isPlain(value) ? "a record" : "an object of a class";
  if (typeof value === "function") return "a function";
  return JSON.stringify(value) ?? typeof value;
}
