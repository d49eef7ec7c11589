import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { abortWith } from "../../src/engine/abort.ts";

describe("what is aborted with a signal", () => {
  it("has its reason, also when it was aborted before", () => {
    const [late, early] = [new AbortController(), new AbortController()];
    const above = new AbortController();
    abortWith(late, above.signal);
    expect(late.signal.aborted).toBe(false);
    above.abort("by hand");
    abortWith(early, above.signal);
    expect([late.signal.reason, early.signal.reason]).toEqual(["by hand", "by hand"]);
  });

  it("is so until that is ended, and leaves nothing behind", () => {
    const [stop, above] = [new AbortController(), new AbortController()];
    const free = abortWith(stop, above.signal);
    expect(getEventListeners(above.signal, "abort")).toHaveLength(1);
    free();
    expect(getEventListeners(above.signal, "abort")).toHaveLength(0);
    above.abort();
    expect(stop.signal.aborted).toBe(false);
  });

  it("may be aborted by itself, and where there is no signal", () => {
    const stop = new AbortController();
    abortWith(stop, undefined)();
    stop.abort("late");
    expect(stop.signal.reason).toBe("late");
  });
});
