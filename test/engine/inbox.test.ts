import { describe, expect, it } from "vitest";
import { type Hint, hintCodec } from "../../src/engine/inbound.ts";
import { Inbox } from "../../src/engine/inbox.ts";
import { failure, type Result, success } from "../../src/term/output.ts";
import { createRig, type Rig } from "../../src/testing/index.ts";

const HOUR = 60 * 60 * 1000;
const push: Hint = { kind: "refs", repository: 7, name: "acme/web" };
const comment: Hint = {
  kind: "comment",
  repository: 7,
  pull: 3,
  comment: 9,
  author: { id: 1, login: "alice" },
  body: "/approve",
};
const delivery = (id: string, hint: Hint | undefined = push) => ({ id, kind: "push", bodyDigest: "d", hint });

/** An inbox on the rig's store with what it told, and a handler that answers what it is told to. */
function opened(rig: Rig) {
  const inbox = new Inbox(rig.engine);
  const told: Hint[] = [];
  const handled: Hint[] = [];
  const answers: Result<void>[] = [];
  inbox.changes.subscribe((hint) => told.push(hint));
  inbox.handle(async (hint) => {
    handled.push(hint);
    return answers.shift() ?? success(undefined);
  });
  inbox.start();
  return { rig, inbox, told, handled, answers };
}

const transient = failure({ code: "FORGE_UNREACHABLE", message: "no answer", class: "transient" });
const refused = failure({ code: "FORBIDDEN", message: "may not", class: "failed" });

describe("a delivery", () => {
  it("is durable before it is confirmed, told once and handled once", async () => {
    const { rig, inbox, told, handled } = opened(createRig());
    expect(await inbox.receive(delivery("a"))).toBe("taken");
    expect(rig.store.queries.inbox("a")).toMatchObject({ kind: "push", hint: push });
    await rig.clock.settle();
    expect([told, handled]).toEqual([[push], [push]]);
    expect(rig.store.queries.openInbox()).toEqual([]);
    expect(inbox.lastMs).toBe(rig.clock.now());
  });

  it("that comes a thousand times is one row and one hint, also when all come at once", async () => {
    const { rig, inbox, told } = opened(createRig());
    const receipts = await Promise.all(Array.from({ length: 1_000 }, () => inbox.receive(delivery("a"))));
    await rig.clock.settle();
    expect(receipts.filter((receipt) => receipt === "taken")).toHaveLength(1);
    expect(await inbox.receive(delivery("a"))).toBe("known");
    expect(told).toEqual([push]);
  });

  it("that comes twice at once is confirmed to neither before it is durable", async () => {
    const { rig, inbox } = opened(createRig());
    const { store } = rig.engine;
    const commit = store.commit.bind(store);
    let goOn: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    store.commit = (...batch) => held.then(() => commit(...batch));
    const both = [inbox.receive(delivery("a")), inbox.receive(delivery("a"))];
    const early = await Promise.race([...both, rig.clock.settle()]);
    goOn();
    expect([early, await Promise.all(both)]).toEqual([undefined, ["taken", "known"]]);
  });

  it("with nothing for us is kept, so that its like is known, and told to nobody", async () => {
    const { rig, inbox, told } = opened(createRig());
    expect(await inbox.receive({ ...delivery("a"), hint: undefined })).toBe("taken");
    await rig.clock.settle();
    expect(told).toEqual([]);
    expect(inbox.open).toBe(0);
    expect(rig.store.queries.openInbox()).toEqual([]);
  });

  it("is handled again while the trouble passes by itself, and given up when a person has to act", async () => {
    const { rig, inbox, handled, answers } = opened(createRig());
    answers.push(transient, transient, refused);
    await inbox.receive(delivery("a", comment));
    await rig.clock.settle();
    expect([handled.length, inbox.open]).toEqual([1, 1]);
    await rig.clock.advance(HOUR);
    expect([handled.length, inbox.open]).toEqual([3, 0]);
  });

  it("that one of two handlers has done is not done twice by it", async () => {
    const { rig, inbox, handled } = opened(createRig());
    const tries: Hint[] = [];
    inbox.handle(async (hint) => (tries.push(hint) === 1 ? transient : success(undefined)));
    await inbox.receive(delivery("a", comment));
    await rig.clock.advance(HOUR);
    expect([handled.length, tries.length]).toEqual([1, 2]);
  });

  it("survives a handler that throws", async () => {
    const { rig, inbox } = opened(createRig());
    inbox.handle(() => Promise.reject(new Error("a bug")));
    await inbox.receive(delivery("a"));
    await rig.clock.settle();
    expect(inbox.open).toBe(0);
  });
});

it("does nothing more once the engine is closed", async () => {
  const { rig, inbox, handled, answers } = opened(createRig());
  answers.push(transient, transient);
  await inbox.receive(delivery("a", comment));
  await rig.clock.settle();
  rig.engine.close();
  const timers = rig.clock.scheduler.actions.length;
  await rig.clock.advance(3 * HOUR);
  expect([handled.length, timers]).toEqual([1, 0]);
});

it.each<Hint>([
  push,
  comment,
  { kind: "installations" },
  { kind: "rerequested", repository: 7, commit: "c0ffee" },
  { kind: "rerequested", repository: 7, commit: "c0ffee", job: "j", author: { id: 1, login: "ann" } },
])("stores what was told whole: %j", (hint) => {
  expect(hintCodec.decode(JSON.parse(JSON.stringify(hintCodec.encode(hint))))).toEqual(hint);
});

describe("after a death", () => {
  it("what was not handled is told and handled by the next process; what was is not", async () => {
    const first = opened(createRig());
    first.answers.push(success(undefined), transient);
    await first.inbox.receive(delivery("done"));
    await first.inbox.receive(delivery("open", comment));
    await first.rig.clock.settle();
    const next = opened(await first.rig.restart());
    await next.rig.clock.settle();
    expect([next.told, next.handled]).toEqual([[comment], [comment]]);
    expect(await next.inbox.receive(delivery("open", comment))).toBe("known");
    expect(next.inbox.lastMs).toBe(next.rig.clock.now());
    expect(next.rig.store.queries.openInbox()).toEqual([]);
  });

  it("a hint that another version wrote is closed, not tried for ever", async () => {
    const first = opened(createRig());
    const row = {
      delivery: "odd",
      kind: "push",
      bodyDigest: "d",
      hint: { kind: "new" },
      receivedMs: 1,
      processedMs: null,
    };
    await first.rig.store.commit([{ put: "inbox", row }]);
    const next = opened(await first.rig.restart());
    await next.rig.clock.settle();
    expect([next.handled, next.rig.store.queries.openInbox()]).toEqual([[], []]);
  });
});

it("forgets deliveries after two weeks, but none that is open", async () => {
  const { rig, inbox, answers } = opened(createRig());
  await inbox.receive(delivery("old"));
  answers.push(...Array.from({ length: 1_000 }, () => transient));
  await rig.clock.settle();
  await rig.clock.advance(13 * 24 * HOUR);
  expect(rig.store.queries.inbox("old")).toBeDefined();
  await rig.clock.advance(2 * 24 * HOUR);
  expect(rig.store.queries.inbox("old")).toBeUndefined();
});
