import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { programOf } from "../support/need.ts";

/**
 * Has a process killed instead of the nth of these system calls in one of its threads (each counts its own).
 *
 * Resolves when strace watches every thread that there is. With `follow` also those that come later, and children.
 */
export async function killAtCall(
  pid: number,
  calls: string,
  nth: number,
  { follow = false } = {},
): Promise<ChildProcess> {
  const threads = threadsOf(pid);
  const who = follow ? ["-f", "-p", String(pid)] : threads.flatMap((thread) => ["-p", thread]);
  const what = ["-e", `trace=${calls}`, "-e", `inject=${calls}:signal=SIGKILL:when=${nth}`];
  const tracer = spawn(programOf("strace"), ["-o", "/dev/null", ...what, ...who], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(tracer, "exit");
  let said = "";
  await new Promise<void>((resolve) => {
    tracer.stderr.on("data", (chunk) => {
      said += String(chunk);
      // "attached", or why not: a thread may have ended meanwhile
      if (said.split("attach").length > (follow ? 1 : threads.length)) resolve();
    });
    ended.then(() => resolve(), resolve); // the process is gone, or will be
  });
  return tracer;
}

/** None when it has ended. */
function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
