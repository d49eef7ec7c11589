import { describe, expect, it, vi } from "vitest";
import { problem } from "../../../src/engine/errors.ts";
import type { Json } from "../../../src/engine/json.ts";
import { failed, failure, success } from "../../../src/term/output.ts";
import { failed as broken } from "../cache/support.ts";
import { type Mishap, type Telling, telling } from "./outbox-support.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("the newest wanted value", () => {
  it("is durable, then sent, then shown as confirmed with what the sender keeps", async () => {
    const { other, pass, shows, rig } = telling({}, "ok");
    await pass(100);
    expect(rig.store.queries.openOutbox()).toMatchObject([{ key: "other web", want: "ok", confirmed: {} }]);
    expect(shows()).toBe("active running");
    await pass();
    expect(shows()).toBe("ok 1");
    expect(other.heard).toEqual(["web=ok"]);
    expect(rig.store.queries.openOutbox()).toEqual([]);
    expect(rig.store.queries.outboxOf("other web")?.confirmed).toMatchObject({ kept: 1 });
  });

  it("is not sent again when it equals what is confirmed, nor after a restart", async () => {
    const made = telling({}, "ok");
    await made.pass();
    made.input.set("ok");
    await made.pass();
    const next = await made.restart("ok");
    await next.pass();
    expect(next.shows()).toBe("ok 1");
    expect(next.other.heard).toEqual(["web=ok"]);
  });

  it("skips the values between, and is sent after the one that is under way", async () => {
    const { other, pass, input } = telling({}, "one");
    await pass(100);
    for (const value of ["two", "three", "four"]) input.set(value);
    await pass();
    expect(other.heard).toEqual(["web=one", "web=four"]);
  });

  it("waits for quick changes, but not for ever", async () => {
    const { other, pass, input } = telling({ coalesceMs: 2_000 });
    for (let n = 0; n < 50; n += 1) {
      input.set(`${n}`);
      await pass(100);
    }
    await pass();
    expect(other.heard.length).toBeGreaterThan(1);
    expect(other.heard.length).toBeLessThan(5);
    expect(other.shows()).toBe("49");
  });

  it("is not sent at all when it is again what is confirmed before its time comes", async () => {
    const { other, pass, input } = telling({ coalesceMs: 2_000 }, "ok");
    await pass();
    input.set("running");
    await pass(500);
    input.set("ok");
    await pass();
    expect(other.heard).toEqual(["web=ok"]);
  });

  it("stays as it is while the input has none", async () => {
    const { other, pass, input, shows } = telling({}, "ok");
    await pass();
    input.show(failed(broken("no such branch"), "value"));
    await pass();
    expect(shows()).toBe("failed no such branch");
    expect(other.heard).toEqual(["web=ok"]);
  });
});

describe("what does not arrive", () => {
  it("is tried again with back-off for as long as it takes", async () => {
    const { other, pass, shows } = telling({}, "ok");
    other.down = true;
    await pass(MINUTE);
    expect(shows()).toBe("failed the answer was lost");
    await pass(8 * 60 * MINUTE);
    expect(other.tries).toBeLessThan(250);
    other.down = false;
    await pass(5 * MINUTE);
    expect(shows()).toBe("ok 1");
  });

  it("is not hurried by newer values, of which only the last arrives", async () => {
    const { other, pass, input } = telling({}, "0");
    other.down = true;
    for (let n = 1; n <= 60; n += 1) {
      input.set(`${n}`);
      await pass(MINUTE);
    }
    expect(other.tries).toBeLessThan(30);
    other.down = false;
    await pass(5 * MINUTE);
    expect(new Set(other.heard)).toEqual(new Set(["web=60"]));
  });

  it("waits as long as it is asked to, but no longer than an hour: the date may be wrong", async () => {
    const { outbox, sender, pass, rig } = telling();
    const tries = new Map<string, number>();
    const wants = (kind: string, waitMs: number): void => {
      const send = async () => {
        tries.set(kind, (tries.get(kind) ?? 0) + 1);
        return failure({ ...problem("NOT_SENT", "429"), retryAtMs: rig.clock.now() + waitMs });
      };
      outbox.want({ ...sender, kind, send }, "web", "x");
    };
    wants("minutes", 20 * MINUTE);
    wants("years", 3 * 365 * 24 * 60 * MINUTE);
    await pass(30 * MINUTE);
    expect(Object.fromEntries(tries)).toEqual({ minutes: 2, years: 1 });
    await pass(35 * MINUTE);
    expect(Object.fromEntries(tries)).toEqual({ minutes: 4, years: 2 });
  });

  it("is given up after a while when no answer comes, and tried again", async () => {
    const { other, pass, shows } = telling({}, "ok");
    other.mishaps.push("silent");
    await pass(80_000);
    expect(shows()).toBe("active running");
    await pass(MINUTE);
    expect(shows()).toBe("ok 1");
  });

  it("is not tried again soon when it is refused, unless it changes or Millrace starts again", async () => {
    const made = telling({}, "odd");
    made.other.mishaps.push("refused", "refused");
    await made.pass(29 * MINUTE);
    expect([made.shows(), made.other.tries]).toEqual(["failed 422: not like this", 1]);
    expect(made.outbox.unsent()).toMatchObject([{ kind: "other", key: "web", trouble: { code: "SEND_REFUSED" } }]);
    const next = await made.restart("odd");
    await next.pass();
    expect(next.other.tries).toBe(2);
    next.input.set("even");
    await next.pass();
    expect([next.shows(), next.outbox.unsent()]).toEqual(["ok 1", []]);
  });

  it("holds up no newer value that came while it was on its way, when it is refused", async () => {
    const { other, pass, input, shows } = telling({}, "odd");
    other.mishaps.push("refused");
    await pass(100);
    input.set("even");
    await pass();
    expect([shows(), other.heard]).toEqual(["ok 1", ["web=even"]]);
  });

  it("never shows an older value in the end: one that lands late is sent over", async () => {
    const { other, pass, input } = telling({}, "old");
    other.mishaps.push("late");
    await pass(1_000);
    input.set("new");
    await pass(31_000);
    expect(other.heard.at(-1)).toBe("web=old");
    await pass(2 * MINUTE);
    expect(other.shows()).toBe("new");
    const { length } = other.heard;
    await pass(60 * MINUTE);
    expect(other.heard).toHaveLength(length);
  });

  it("is not repeated for those who would see it twice", async () => {
    const { other, pass, input } = telling({ overwrites: false }, "one");
    other.mishaps.push("lost");
    await pass(1_000);
    input.set("two");
    await pass(10 * MINUTE);
    expect(other.heard).toEqual(["web=two"]);
  });

  it("is taken up by the next process, even if nobody wants it there", async () => {
    const made = telling({}, "ok");
    made.other.down = true;
    await made.pass();
    const next = await made.restart();
    made.other.down = false;
    await next.pass();
    expect(next.other.heard).toEqual(["web=ok"]);
  });

  it("does not hold up other kinds when its other side hangs", async () => {
    const { rig, outbox, sender, pass } = telling();
    const heard: string[] = [];
    const hangs = { ...sender, kind: "hangs", send: () => new Promise<never>(() => {}) };
    const works = {
      ...sender,
      kind: "works",
      send: async (want: string) => ({ ok: true as const, value: heard.push(want) }),
    };
    for (let n = 0; n < 100; n += 1) {
      outbox.want(hangs, `${n}`, "x");
      outbox.want(works, `${n}`, "y");
    }
    await pass(1_000);
    expect(heard).toHaveLength(100);
    expect(rig.engine.clock.elapsed()).toBeGreaterThan(0);
  });
});

describe("what is refused", () => {
  const refusals = (count: number): Mishap[] => Array.from({ length: count }, () => "refused");

  it("is tried again, later and later, and taken once it may be; meanwhile it is shown", async () => {
    const { other, pass, shows, outbox, rig } = telling({}, "odd");
    other.mishaps.push(...refusals(1_000));
    await pass(60 * MINUTE + 1_000);
    expect(other.tries).toBe(2);
    await pass(7 * DAY);
    expect(other.tries).toBeGreaterThan(9);
    expect(other.tries).toBeLessThan(22);
    expect(shows()).toBe("failed 422: not like this");
    expect(outbox.unsent()).toMatchObject([
      { key: "web", trouble: { code: "SEND_REFUSED" }, waitsMs: 7 * DAY + HOUR + 1_000 },
    ]);
    const seen = new Set<string>();
    const watching = rig.engine.steps.subscribe(() => seen.add(shows()));
    await pass(2 * DAY);
    expect([...seen].filter((text) => !text.startsWith("failed"))).toEqual([]); // that it is tried again is no news
    watching.unsubscribe();
    other.mishaps.length = 0; // the right is granted, and nobody tells us
    await pass(DAY);
    expect([shows(), other.shows()]).toEqual(["ok 1", "odd"]);
  });

  it("is tried again at once when somebody knows more, and an hour after that", async () => {
    const { other, pass, outbox, shows } = telling({}, "odd");
    other.mishaps.push(...refusals(5));
    await pass(5 * HOUR);
    const { tries } = other;
    outbox.retryRefused();
    await pass(1_000);
    expect(other.tries).toBe(tries + 1);
    await pass(HOUR);
    expect(other.tries).toBe(tries + 2);
    await pass(DAY);
    expect(shows()).toBe("ok 1");
  });

  it.each(["refused", "lost"] as const)("is sent once, also when it is tried again just then: %s", async (mishap) => {
    const { other, pass, outbox, shows } = telling({ overwrites: false }, "ok");
    other.mishaps.push(mishap);
    while (other.tries < 2) await pass(100);
    expect(shows()).not.toBe("ok 1");
    outbox.retryRefused();
    await pass(HOUR);
    expect([shows(), other.heard]).toEqual(["ok 1", ["web=ok"]]);
  });

  it("is not what only did not arrive: that keeps its reason and its turn", async () => {
    const { other, pass, outbox, shows } = telling({}, "ok");
    other.down = true;
    await pass(30 * MINUTE);
    const { tries } = other;
    outbox.retryRefused();
    await pass(1);
    expect([shows(), outbox.unsent()]).toMatchObject([expect.stringContaining("lost"), [{ trouble: {} }]]);
    await pass(1_000);
    expect(other.tries - tries).toBeLessThan(2);
  });

  it("is not lost when nobody wants it any more: it is taken later, and told of until then", async () => {
    const { other, pass, outbox, input } = telling({}, "one=odd");
    other.mishaps.push("refused");
    await pass(1_000);
    input.set("two=fine");
    await pass(HOUR / 4);
    expect(outbox.unsent()).toMatchObject([{ key: "one" }]);
    await pass(HOUR);
    expect([other.shows("one"), outbox.unsent()]).toEqual(["odd", []]);
  });

  it("is given up a month after anybody wanted it, and not before; wanted again, it is sent again", async () => {
    const { other, pass, outbox, input, rig } = telling({}, "one=odd");
    await pass();
    input.set("two=fine");
    await pass();
    other.mishaps.push(...refusals(1_000));
    input.set("one=odder");
    await pass(10 * DAY);
    input.set("two=fine");
    await pass(26 * DAY);
    expect(outbox.unsent()).toHaveLength(1);
    await pass(10 * DAY);
    expect([outbox.unsent(), rig.store.queries.openOutbox()]).toEqual([[], []]);
    const { tries } = other;
    await pass(10 * DAY);
    expect(other.tries).toBe(tries);
    other.mishaps.length = 0;
    input.set("one=odder");
    await pass();
    expect(other.shows("one")).toBe("odder");
  });
});

describe("what only some have heard", () => {
  it("is kept as what they heard, also for the next process, and confirms nothing", async () => {
    const made = telling();
    const given: (Json | undefined)[] = [];
    const send = async (_want: string, confirmed: Json | undefined) => {
      given.push(confirmed);
      const some = { ...failure(problem("SEND_REFUSED", "not to one of them")), kept: "some" };
      return given.length === 1 ? success<Json>("all") : some;
    };
    const parts = { ...made.sender, kind: "parts", send };
    for (const value of ["one", "two", "one"]) {
      made.outbox.want(parts, "web", value);
      await made.pass();
    }
    expect(given).toEqual([undefined, "all", "some"]);
    const next = await made.restart();
    next.outbox.register(parts);
    await next.pass();
    expect([given.length, given.at(-1), next.outbox.unsent().length]).toEqual([4, "some", 1]);
  });
});

describe("how long something waits", () => {
  it("is counted from the first value that was not taken, also after a restart", async () => {
    const made = telling({}, "one");
    made.other.down = true;
    await made.pass(HOUR);
    made.input.set("two");
    await made.pass(HOUR);
    const next = await made.restart("two");
    await next.pass(HOUR);
    expect(next.outbox.unsent().map(({ waitsMs }) => Math.round(waitsMs / MINUTE))).toEqual([180]);
    next.other.down = false;
    await next.pass(HOUR);
    expect(next.outbox.unsent()).toEqual([]);
    next.other.down = true;
    next.input.set("three");
    await next.pass(HOUR);
    expect(next.outbox.unsent().map(({ waitsMs }) => Math.round(waitsMs / MINUTE))).toEqual([60]);
  });
});

describe("what was told of a key that nobody wants any more", () => {
  const keysOf = ({ rig }: Telling): readonly string[] => rig.store.queries.outbox().map(({ key }) => key.slice(6));

  it("is forgotten after a month where keys have no end; what is wanted is not, however long and often we start", async () => {
    let made = telling({ forgets: true }, "one=done");
    await made.pass();
    made.input.set("two=done");
    await made.pass(20 * DAY);
    expect(keysOf(made)).toEqual(["one", "two"]);
    for (let n = 0; n < 45; n += 1) {
      made = await made.restart("two=done");
      await made.pass(DAY);
    }
    expect(keysOf(made)).toEqual(["two"]);
    await made.pass(100 * DAY);
    expect([keysOf(made), made.other.heard]).toEqual([["two"], ["one=done", "two=done"]]);
  });

  it("is kept where there is an end to them", async () => {
    const made = telling({}, "one=done");
    await made.pass();
    made.input.set("two=done");
    await made.pass(100 * DAY);
    expect(keysOf(made)).toEqual(["one", "two"]);
  });

  it("is kept while it waits to be sent", async () => {
    const made = telling({ forgets: true });
    made.rig.engine.confirm.set("harmless", "test");
    made.input.set("one=done");
    await made.pass();
    made.input.set("two=done");
    await made.pass(100 * DAY);
    expect(keysOf(made)).toEqual(["one", "two"]);
    made.rig.engine.confirm.set("none", "test");
    await made.pass(2 * HOUR);
    expect([made.other.shows("one"), keysOf(made)]).toEqual(["done", ["two"]]);
  });

  it("is kept when it is wanted after Millrace did not run for months", async () => {
    const made = telling({ forgets: true }, "one=done");
    await made.pass();
    made.outbox.stop();
    await made.pass(100 * DAY);
    const next = await made.restart();
    await next.pass(5 * HOUR); // the source is out of reach for as long
    next.input.set("one=done");
    await next.pass(DAY);
    expect([keysOf(next), next.other.heard]).toEqual([["one"], ["one=done"]]);
  });

  it("is kept also when there is much of it", async () => {
    const keys = Array.from({ length: 1_200 }, (_, n) => `${n}`);
    const claim = ({ outbox, sender }: Telling): void => {
      for (const key of keys) outbox.claim(sender, key).item.want(`${key}=done`);
    };
    const made = telling({ forgets: true });
    claim(made);
    await made.pass();
    made.outbox.stop();
    await made.pass(100 * DAY);
    const next = await made.restart();
    claim(next);
    await next.pass(6 * HOUR + MINUTE);
    expect([keysOf(next).length, next.other.heard.length]).toEqual([1_200, 1_200]);
  });

  it("never comes back: wanted again, only what is wanted then is told", async () => {
    const made = telling({ forgets: true }, "one=old");
    await made.pass();
    made.input.set("two=done");
    await made.pass(50 * DAY);
    expect(keysOf(made)).toEqual(["two"]);
    made.input.set("one=new");
    await made.pass(DAY);
    const next = await made.restart("one=new");
    await next.pass(50 * DAY);
    expect(next.other.heard).toEqual(["one=old", "two=done", "one=new"]);
  });
});

describe("what the other side was made to forget", () => {
  it("is sent once more", async () => {
    const { outbox, sender, other, pass, shows } = telling({}, "ok");
    await pass();
    outbox.again(sender, "web");
    await pass();
    expect([shows(), other.heard]).toEqual(["ok 2", ["web=ok", "web=ok"]]);
  });

  it("is sent once more also when it was on its way", async () => {
    const { outbox, sender, other, pass, shows } = telling({}, "ok");
    await pass(100);
    outbox.again(sender, "web");
    await pass();
    expect([shows(), other.heard]).toEqual(["ok 2", ["web=ok", "web=ok"]]);
  });

  it("is sent at once, whatever else is to be repeated later", async () => {
    const { outbox, sender, other, pass, input } = telling({}, "old");
    other.mishaps.push("lost");
    await pass(500);
    input.set("new");
    await pass(10_000);
    expect(other.heard).toEqual(["web=new"]); // and once more in a minute: the old one may land yet
    outbox.again(sender, "web");
    await pass(1_000);
    expect(other.heard).toEqual(["web=new", "web=new"]);
  });
});

describe("a send that is under way", () => {
  it("is called off when the outbox is stopped", async () => {
    const { outbox, sender, pass } = telling();
    let given: AbortSignal | undefined;
    const send = (_want: string, _confirmed: unknown, signal: AbortSignal) => {
      given = signal;
      return new Promise<never>(() => {});
    };
    outbox.want({ ...sender, kind: "hangs", send }, "web", "x");
    await pass(100);
    expect(given?.aborted).toBe(false);
    outbox.stop();
    expect(given?.aborted).toBe(true);
  });

  it("leaves no trace on the signal that all of them share", async () => {
    const any = vi.spyOn(AbortSignal, "any"); // Node keeps what it makes for as long as its sources live
    const { other, pass } = telling({}, "ok");
    await pass();
    expect([other.heard, any.mock.calls.length]).toEqual([["web=ok"], 0]);
    any.mockRestore();
  });
});

describe("the confirm threshold", () => {
  it("holds everything back, and lets it go", async () => {
    const { rig, other, pass, shows, input } = telling();
    rig.engine.confirm.set("harmless", "test");
    input.set("ok");
    await pass();
    expect([shows(), other.tries]).toEqual(["active waiting", 0]);
    input.set("better");
    await pass();
    rig.engine.confirm.set("none", "test");
    await pass();
    expect([shows(), other.heard]).toEqual(["ok 1", ["web=better"]]);
  });
});

describe("a key that nothing keeps up any more", () => {
  const abandoned = (want: string): string | undefined =>
    want.endsWith("running") ? `${want.replace("running", "")}left` : undefined;

  it("is told so after a while, when its last value may not stand", async () => {
    const { other, pass, input } = telling({ abandoned }, "one=running");
    await pass(1_000);
    input.set("two=running");
    await pass(30_000);
    expect([other.shows("one"), other.shows("two")]).toEqual(["running", "running"]);
    await pass(MINUTE);
    expect([other.shows("one"), other.shows("two")]).toEqual(["left", "running"]);
  });

  it("stays as it is when its last value may stand", async () => {
    const { other, pass, input, rig } = telling({ abandoned }, "one=done");
    await pass();
    input.set("two=done");
    await pass(60 * MINUTE);
    expect(other.heard).toEqual(["one=done", "two=done"]);
    expect(rig.store.queries.openOutbox()).toEqual([]);
  });

  it("is not abandoned when its term comes back in time", async () => {
    const { other, pass, input } = telling({ abandoned }, "one=running");
    await pass();
    input.set("two=done");
    await pass(30_000);
    input.set("one=running");
    await pass(60 * MINUTE);
    expect(other.shows("one")).toBe("running");
  });

  it("is found after a restart too, though its value was confirmed", async () => {
    const made = telling({ abandoned }, "one=running");
    await made.pass();
    const next = await made.restart("two=done");
    await next.pass(10 * MINUTE);
    expect(next.other.shows("one")).toBe("running");
    await next.pass(10 * MINUTE);
    expect(next.other.shows("one")).toBe("left");
  });
});
