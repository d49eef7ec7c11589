import { randomFillSync } from "node:crypto";

const WORD = 2 ** 32;
const WORD_DIGITS = 8;
const NUMBER_BYTES = 4;
/** Asked for in bulk: a call costs far more than the numbers. */
const bulk = Buffer.alloc(1_024 * NUMBER_BYTES);
let used = bulk.length;

function nextWord(): number {
  if (used === bulk.length) {
    randomFillSync(bulk);
    used = 0;
  }
  used += NUMBER_BYTES;
  return bulk.readUInt32BE(used - NUMBER_BYTES);
}

/** 0 ≤ number < 1, as `Math.random`, of a quality that makes ids unique. */
export const cryptoRandom = (): number => nextWord() / WORD;

/** So many hex digits. */
export function hex(random: () => number, digits: number): string {
  let text = "";
  while (text.length < digits)
    text += Math.floor(random() * WORD)
      .toString(16)
      .padStart(WORD_DIGITS, "0");
  return text.slice(0, digits);
}
