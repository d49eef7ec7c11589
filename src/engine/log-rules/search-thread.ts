import { parentPort } from "node:worker_threads";
import { bestIn, meaningFault } from "./match.ts";
import type { Answer, Ask } from "./search.ts";

/** The thread of `search.ts`: it may be ended at any moment, so it says at each rule how far it is. */
function main(port: NonNullable<typeof parentPort>): void {
  const tell = (answer: Answer): void => port.postMessage(answer);
  port.on("message", ({ id, ...ask }: Ask & { readonly id: number }) => {
    try {
      tell(answerTo(id, ask, tell));
    } catch (error) {
      tell({ kind: "failed", id, why: error instanceof Error ? error.message : String(error) });
    }
  });
  tell({ kind: "up" });
}

function answerTo(id: number, ask: Ask, tell: (answer: Answer) => void): Answer {
  if (ask.ask === "check") return { kind: "checked", id, faults: ask.rules.map(meaningFault) };
  const best = bestIn(ask.log, ask.rules, ({ rule, best: until }) => tell({ kind: "at", id, rule, best: until }));
  return { kind: "found", id, best };
}

if (parentPort !== null) main(parentPort);
