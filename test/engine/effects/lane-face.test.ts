import { expect, it } from "vitest";
import { Committer } from "../../../src/engine/store/committer.ts";
import { migrate } from "../../../src/engine/store/migrations.ts";
import { noReserve } from "../../../src/engine/store/reserve.ts";
import { connectMemory } from "../../../src/engine/store/sqlite.ts";
import { SqliteStore } from "../../../src/engine/store/sqlite-store.ts";
import type { Store } from "../../../src/engine/store/store.ts";
import { inlineWriter } from "../../../src/engine/store/writer.ts";
import { TestClock } from "../../../src/testing/index.ts";
import { deploying } from "./lane-support.ts";

/** As the one on the disk: a commit takes a moment, and what nobody waits for goes with the next one. */
function patientStore(clock: TestClock): Store {
  const db = connectMemory();
  expect(migrate(db, "millrace.db").ok).toBe(true);
  return new SqliteStore({
    writer: inlineWriter(new Committer(db, 0, noReserve)),
    reader: db,
    epoch: 1,
    clock,
    window: (then) => void clock.after(3, then),
    longWindow: (then) => clock.after(100, then),
    onFatal: () => {},
    onClose: () => {},
  });
}

it("a value that runs already names why it is wanted, though that event is not in the store yet", async () => {
  const clock = new TestClock();
  const made = deploying({ clock, store: patientStore(clock) });
  const causes: string[] = [];
  made.rig.engine.steps.subscribe(({ events }) => {
    if (made.shows() === "ok old") causes.push(...events.map(({ detail }) => detail));
  });
  made.input.set("old");
  await made.pass();
  expect([made.shows(), causes]).toEqual(["ok old", ["set by the test"]]);
});
