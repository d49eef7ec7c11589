import { failure } from "../../term/output.ts";
import { limit } from "../abort.ts";
import type { Clock } from "../clock.ts";
import { problem } from "../errors.ts";
import type { Told } from "./sender.ts";

/** A send that has no answer by then is given up. */
const SEND_MS = 90_000;

/** Sends once, however the sender behaves. */
export async function sendOnce(
  clock: Clock,
  stopping: AbortSignal,
  send: (signal: AbortSignal) => Promise<Told>,
): Promise<Told> {
  const limited = limit(clock, SEND_MS, stopping);
  try {
    const late = new Promise<Told>((resolve) => {
      const giveUp = (): void => resolve(failure(problem("NOT_SENT", `no answer after ${SEND_MS / 1000} seconds`)));
      limited.signal.addEventListener("abort", giveUp, { once: true });
    });
    return await Promise.race([send(limited.signal), late]);
  } catch (error) {
    return failure(problem("PROGRAM_FAULT", error instanceof Error ? error.message : String(error)));
  } finally {
    limited.end();
  }
}
