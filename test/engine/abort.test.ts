import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { limit } from "../../src/engine/abort.ts";
import { TestClock } from "../../src/testing/index.ts";

describe("a signal with a limit", () => {
  it("is aborted with another one, with its reason, also when that was aborted before", () => {
    const [clock, above] = [new TestClock(), new AbortController()];
    const late = limit(clock, 1_000, above.signal);
    expect(late.signal.aborted).toBe(false);
    above.abort("by hand");
    const early = limit(clock, 1_000, above.signal);
    expect([late.signal.reason, early.signal.reason]).toEqual(["by hand", "by hand"]);
  });

  it("is aborted when the time is up, also where there is no other", async () => {
    const [clock, above] = [new TestClock(), new AbortController()];
    const both = [limit(clock, 1_000, above.signal), limit(clock, 1_000)];
    await clock.advance(999);
    expect(both.map(({ signal }) => signal.aborted)).toEqual([false, false]);
    await clock.advance(1);
    expect(both.map(({ signal }): unknown => signal.reason)).toEqual(["no answer in time", "no answer in time"]);
  });

  it("is not aborted once that is ended, and leaves nothing behind", async () => {
    const [clock, above] = [new TestClock(), new AbortController()];
    const { signal, end } = limit(clock, 1_000, above.signal);
    expect(getEventListeners(above.signal, "abort")).toHaveLength(1);
    end();
    expect([getEventListeners(above.signal, "abort"), clock.scheduler.actions]).toEqual([[], []]);
    above.abort();
    await clock.advance(1_000);
    expect(signal.aborted).toBe(false);
  });
});
