/** How often a condition is looked at, in milliseconds. */
const EVERY_MS = 50;

/**
 * Waits until `look` answers something else than undefined or false, and gives that.
 *
 * @param told What the error adds when the deadline passes: what was there instead.
 * @throws {Error} at the deadline.
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  told: () => string | Promise<string> = () => "",
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs / 1000} s: ${what}\n${await told()}`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
