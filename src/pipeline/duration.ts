const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const isUnit = (text: string): text is keyof typeof UNIT_MS => text in UNIT_MS;

/** `"90s"`, `"50m"`, `"2h"`, `"7d"` in milliseconds; nothing when it is no such text or not above zero. */
export function durationMs(text: string): number | undefined {
  const [, count = "", unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?)([a-z])$/.exec(text) ?? [];
  if (!isUnit(unit)) return undefined;
  const ms = Math.round(Number(count) * UNIT_MS[unit]);
  return ms > 0 ? ms : undefined;
}
