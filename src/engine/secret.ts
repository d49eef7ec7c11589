import { inspect } from "node:util";

const MASK = "‹secret›";
/** Shorter values would mask half of every log. */
const LENGTH_MIN = 4;

/** A value that prints as `‹secret›` wherever it is written, and whose text logs are scrubbed of. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
    for (const form of formsOf(value)) known.add(form);
  }
  /** The value itself: only for the call that needs it. */
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return MASK;
  }
  toJSON(): string {
    return MASK;
  }
  [inspect.custom](): string {
    return MASK;
  }
}

const known = new Set<string>();

/** The value as it may come back in output: plain, base64, URL-encoded, inside JSON. */
function formsOf(value: string): readonly string[] {
  if (value.length < LENGTH_MIN) return [];
  const base64 = Buffer.from(value).toString("base64");
  return [value, base64, base64.replace(/=+$/, ""), encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
}

/** `text` without any secret made so far. */
export function scrub(text: string): string {
  let clean = text;
  for (const form of known) if (clean.includes(form)) clean = clean.replaceAll(form, MASK);
  return clean;
}

/** How many bytes a scrubber must keep back so that a secret cut in two is still found. */
export function longestSecret(): number {
  let longest = 0;
  for (const form of known) longest = Math.max(longest, form.length);
  return longest;
}
