import { parentPort, workerData } from "node:worker_threads";
import { Committer } from "./committer.ts";
import { reserveIn } from "./reserve.ts";
import { connectWriter, failureOf } from "./sqlite.ts";
import type { Answer, Ask, ThreadStart } from "./writer.ts";

/** The writer's thread: its own connection, one message at a time. Commits may stall for a second; pages must not. */
function main(port: NonNullable<typeof parentPort>, start: ThreadStart): void {
  const answer = (message: Answer): void => port.postMessage(message);
  let committer: Committer;
  try {
    committer = new Committer(connectWriter(start.path), start.epoch, reserveIn(start.dir));
  } catch (error) {
    answer({ kind: "fatal", error: failureOf(error, start.path) });
    return;
  }
  port.on("message", (message: Ask) => {
    switch (message.ask) {
      case "write":
        return answer(committer.run(message.group));
      case "probe":
        return answer(committer.probe(message.nowMs));
      case "close":
        committer.close();
        return answer({ kind: "closed" });
    }
  });
  answer({ kind: "open" });
}

const isStart = (data: unknown): data is ThreadStart =>
  typeof data === "object" && data !== null && "path" in data && "dir" in data && "epoch" in data;

if (parentPort !== null && isStart(workerData)) main(parentPort, workerData);
