import { writeSync } from "node:fs";
import { createClock } from "../../src/engine/clock.ts";
import { openStore } from "../../src/engine/store/open.ts";

/**
 * A process that opens the store in its first argument and writes events for ever, one after the other. It says
 * `open`, then the number of each event once it is durable; an error ends it with its code, as the program does.
 */
const [, , dir = ""] = process.argv;

const say = (line: string): void => void writeSync(1, `${line}\n`);

const store = await openStore({
  dir,
  writer: "thread",
  clock: createClock(),
  onFatal: (error) => {
    say(error.code);
    process.exit(70);
  },
});
if (!store.ok) {
  say(store.error.code);
  process.exit(1);
}
say("open");
for (let id = store.value.queries.lastEventId() + 1; ; id += 1) {
  const row = { id, atMs: id, kind: "poll", subject: "acme/web", detail: "x".repeat(id % 3_000) };
  await store.value.commit([{ put: "event", row }]);
  say(`${id}`);
}
