/** What GitHub takes at most of a summary, in bytes. */
export const SUMMARY_MAX = 65_535;
const ELLIPSIS = "…";

/**
 * A text of somebody else as code in a table's cell: nothing in it is a link, a mention or a new cell, and no half of a
 * character is left, for which GitHub would refuse the whole.
 */
export function code(text: string, charsMax = 300): string {
  const line = oneLine(text)
    .replaceAll("`", "'")
    .replaceAll(/\\(?=\|)/g, "\\ ") // else it could take the backslash before the bar as its own
    .replaceAll("|", "\\|")
    .trim();
  return line === "" ? "" : `\`${cutChars(line, charsMax).replaceAll(/\p{Cs}/gu, "\uFFFD")}\``;
}

/** A text of somebody else where no markup counts: one line, cut, and no half of a character. */
export const plain = (text: string, charsMax: number): string =>
  cutChars(oneLine(text).trim(), charsMax).replaceAll(/\p{Cs}/gu, "\uFFFD");

const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ");

const cutChars = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)}${ELLIPSIS}`;

/** At most so many bytes of UTF-8, and no half character at the end. */
function cutBytes(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  const room = bytesMax - Buffer.byteLength(ELLIPSIS);
  return `${new TextDecoder().decode(bytes.subarray(0, room), { stream: true })}${ELLIPSIS}`;
}

/** Whole lines for as long as they fit, then how many more there are. */
export function fitLines(lines: readonly string[], bytesMax: number, more: (left: number) => string): string {
  const whole = lines.join("\n");
  if (Buffer.byteLength(whole) <= bytesMax) return whole;
  const room = bytesMax - Buffer.byteLength(more(lines.length)) - 1;
  let used = 0;
  const kept = lines.filter((line) => {
    used += Buffer.byteLength(line) + 1;
    return used <= room;
  });
  return cutBytes([...kept, more(lines.length - kept.length)].join("\n"), bytesMax);
}

/** 130,000 → `2 m 10 s`. */
export function tookText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (hours > 0) return `${hours} h ${minutes} m`;
  return minutes > 0 ? `${minutes} m ${rest} s` : `${rest} s`;
}
