import { createHash, timingSafeEqual } from "node:crypto";

/** Whether two texts are the same, in a time that does not depend on where they differ. */
export function same(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
