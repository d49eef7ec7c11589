import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { type Fetch, guarded } from "../../../src/plugins/github/exchange.ts";
import { TestClock } from "../../../src/testing/index.ts";

const api = new URL("https://github.example/api/v3");
const hanging: Fetch = (_, init) =>
  new Promise((_resolve, reject) => {
    const fail = (): void => reject(new Error("the connection was ended"));
    if (init?.signal?.aborted === true) fail();
    init?.signal?.addEventListener("abort", fail);
  });

/** How many signals were made of this one that Node still knows of. */
function traces(signal: AbortSignal): number {
  const name = Object.getOwnPropertySymbols(signal).find(({ description }) => description === "kDependantSignals");
  const known: unknown = name === undefined ? undefined : Reflect.get(signal, name);
  // a set of Node's own, which is no instance of ours
  return typeof known === "object" && known !== null && "size" in known ? Number(known.size) : 0;
}

describe("a request to GitHub", () => {
  test("leaves no trace on a signal that lives on", async () => {
    const ask = guarded(
      api,
      new TestClock(),
      async () => Response.json({}),
      () => {},
    );
    const { signal } = new AbortController();
    for (let count = 0; count < 5; count += 1) await ask(`${api.href}/user`, { signal });
    expect([traces(signal), getEventListeners(signal, "abort").length]).toEqual([0, 0]);
  });

  test("is called off at once, also before it began", async () => {
    const ask = guarded(api, new TestClock(), hanging, () => {});
    const stop = new AbortController();
    const asked = ask(api.href, { signal: stop.signal });
    stop.abort();
    await expect(asked).rejects.toThrow("called off");
    await expect(ask(api.href, { signal: stop.signal })).rejects.toThrow("called off");
  });

  test("is given up after thirty seconds", async () => {
    const clock = new TestClock();
    const asked = guarded(api, clock, hanging, () => {})(api.href, { signal: new AbortController().signal });
    await Promise.all([expect(asked).rejects.toThrow("no answer within 30 s"), clock.advance(30_000)]);
  });
});
