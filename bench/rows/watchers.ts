// Many readers of the event stream, as open pages are: `node watchers.js URL COUNT CHANGES`.
// Prints "ready" once all are connected, then the waiting times once each has seen every change.
import { get, type IncomingMessage } from "node:http";
import { percentile } from "../maths.ts";

const DEADLINE_MS = 20_000;
const NS_A_MS = 1_000_000;

const [, , url = "", readersWanted = "0", changesWanted = "0"] = process.argv;
const readers = Number(readersWanted);
const wanted = readers * Number(changesWanted);
const times: number[] = [];

function open(): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`${url}/api/v1/events`, { agent: false }, resolve).on("error", reject);
  });
}

/** The server's clock and ours are the same: nanoseconds since the machine was started. */
function read(stream: IncomingMessage): Promise<void> {
  let text = "";
  stream.setEncoding("utf8");
  return new Promise((connected) => {
    stream.on("data", (chunk: string) => {
      const now = process.hrtime.bigint();
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        if (event.startsWith("event: snapshot")) connected();
        if (event.startsWith("event: step")) seen(event, now);
      }
    });
  });
}

function seen(event: string, now: bigint): void {
  const sent = /since (\d+)/.exec(event)?.[1];
  if (sent === undefined) return;
  times.push(Number(now - BigInt(sent)) / NS_A_MS);
  if (times.length === wanted) tell();
}

function tell(): void {
  const [p50Ms, p99Ms, maxMs] = [0.5, 0.99, 1].map((part) => percentile(times, part));
  const line = JSON.stringify({ p50Ms, p99Ms, maxMs, missed: wanted - times.length });
  process.stdout.write(`${line}\n`, () => process.exit(0));
}

for (let reader = 0; reader < readers; reader++) await read(await open());
process.stdout.write("ready\n");
setTimeout(tell, DEADLINE_MS + wanted);
