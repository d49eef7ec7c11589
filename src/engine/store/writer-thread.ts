import { parentPort } from "node:worker_threads";
import { Committer } from "./committer.ts";
import { reserveIn } from "./reserve.ts";
import { connectWriter, failureOf } from "./sqlite.ts";
import type { Answer, Ask, ThreadStart } from "./writer.ts";

/** The writer's thread: its own connection, one message at a time. Commits may stall for a second; pages must not. */
function main(port: NonNullable<typeof parentPort>): void {
  let committer: Committer | undefined;
  let failed: Answer = { kind: "closed" };
  const open = (start: ThreadStart): Answer => {
    try {
      committer = new Committer(connectWriter(start.path), start.epoch, reserveIn(start.dir));
      return { kind: "open" };
    } catch (error) {
      failed = { kind: "fatal", error: failureOf(error, start.path) };
      return failed;
    }
  };
  const answer = (message: Ask): Answer => {
    switch (message.ask) {
      case "open":
        return open(message.start);
      case "write":
        return committer?.run(message.group) ?? failed;
      case "probe":
        return committer?.probe(message.nowMs) ?? failed;
      case "close":
        committer?.close();
        return { kind: "closed" };
    }
  };
  port.on("message", (message: Ask) => port.postMessage(answer(message)));
}

if (parentPort !== null) main(parentPort);
