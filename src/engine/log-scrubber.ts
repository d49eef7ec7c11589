import { MASK, merge, type Span, secretsIn, unfinishedSecret } from "./secret.ts";

/**
 * Masks secrets in a stream of text: however it is cut into chunks, the result is that of `scrub` on the whole.
 *
 * Only what may still become a secret is kept back, so that a log can be followed as it grows.
 */
export class LogScrubber {
  #kept = "";
  /** So many characters of `#kept` belong to a secret whose mask is out already. */
  #masked = 0;

  /** Takes the next chunk and gives what is certain by now. */
  push(chunk: string): string {
    const text = this.#kept + chunk;
    const open = Math.max(unfinishedSecret(text), halfCharacter(text));
    return this.#emit(text, text.length - open);
  }

  /** Gives the rest: nothing follows that could make a secret of it. */
  end(): string {
    return this.#emit(this.#kept, this.#kept.length);
  }

  #emit(text: string, upTo: number): string {
    let clean = "";
    let from = 0;
    for (const { start, end } of this.#spans(text)) {
      const isOut = start === 0 && this.#masked > 0;
      if (start >= upTo && !isOut) break;
      clean += text.slice(from, start) + (isOut ? "" : MASK);
      from = end;
    }
    if (from < upTo) clean += text.slice(from, upTo);
    this.#kept = text.slice(upTo);
    this.#masked = Math.max(0, from - upTo);
    return clean;
  }

  #spans(text: string): readonly Span[] {
    const found = secretsIn(text);
    return this.#masked === 0 ? found : merge([{ start: 0, end: this.#masked }, ...found]);
  }
}

/** 1 when the text ends between the two halves of a surrogate pair. */
function halfCharacter(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd8_00 && last <= 0xdb_ff ? 1 : 0;
}
