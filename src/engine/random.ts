import { randomBytes } from "node:crypto";

const WORD = 2 ** 32;
const WORD_DIGITS = 8;

/** 0 ≤ number < 1, as `Math.random`, of a quality that makes ids unique. */
export const cryptoRandom = (): number => randomBytes(4).readUInt32BE() / WORD;

/** So many hex digits. */
export function hex(random: () => number, digits: number): string {
  let text = "";
  while (text.length < digits)
    text += Math.floor(random() * WORD)
      .toString(16)
      .padStart(WORD_DIGITS, "0");
  return text.slice(0, digits);
}
