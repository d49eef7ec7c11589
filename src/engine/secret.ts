import { inspect } from "node:util";

/** What is shown in place of a secret. */
export const MASK = "‹secret›";
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
  /** It is worth nothing any more: nothing is searched for it from now on. For tokens that come by the dozen. */
  expire(): void {
    for (const form of formsOf(this.#value)) known.delete(form);
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
  return [
    value,
    ...base64Of(value),
    encodeURIComponent(Buffer.from(value).toString()),
    JSON.stringify(value).slice(1, -1),
  ];
}

/** On its own and as a part of something longer (`user:password`), where it may begin at three places of a group. */
function base64Of(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // characters at the ends also hold bits of the neighbours
    const first = Math.ceil((before * 8) / 6);
    const core = whole.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
    const forms = before === 0 ? [Buffer.from(value).toString("base64"), whole, core] : [core];
    return forms.filter((form) => form.length > LENGTH_MIN);
  });
}

/** `text` without any secret made so far. */
export function scrub(text: string): string {
  let clean = "";
  let from = 0;
  for (const { start, end } of secretsIn(text)) {
    clean += text.slice(from, start) + MASK;
    from = end;
  }
  return clean + text.slice(from);
}

/** Characters from `start` up to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where `text` holds secrets, in order; ones that overlap are one span, so that no part of either is left over. */
export function secretsIn(text: string): readonly Span[] {
  const found: Span[] = [];
  for (const form of known)
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1))
      found.push({ start: at, end: at + form.length });
  return merge(found);
}

/** Makes one span of those that overlap; spans that only touch stay two. */
export function merge(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && span.start < last.end)
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    else merged.push(span);
  }
  return merged;
}

/** How many characters at the end of `text` may begin a secret: a scrubber of a stream keeps them back. */
export function unfinishedSecret(text: string): number {
  let longest = 0;
  for (const form of known) {
    for (let length = Math.min(form.length - 1, text.length); length > longest; length -= 1) {
      const begins = text.charCodeAt(text.length - length) === form.charCodeAt(0);
      if (begins && text.endsWith(form.slice(0, length))) longest = length;
    }
  }
  return longest;
}
