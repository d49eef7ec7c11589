const FIRST_MS = 2_000;
const MAX_MS = 5 * 60_000;

/**
 * How long to wait before try number `tries + 1`, in milliseconds: 2 s, 4 s, 8 s … at most five minutes, each between
 * half and the whole of that so that many do not come at once.
 *
 * @param random 0 ≤ random < 1.
 */
export function backoffMs(tries: number, random: number): number {
  const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(tries, 16));
  return Math.round(ceiling * (0.5 + random / 2));
}
