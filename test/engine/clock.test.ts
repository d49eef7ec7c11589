import { asyncScheduler, VirtualTimeScheduler } from "rxjs";
import { describe, expect, it } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import { TestClock } from "../../src/testing/index.ts";

const YEAR = 365 * 24 * 3_600_000;

describe("a delay that does not fit in 31 bits", () => {
  it("is chained: it is over when it is over", async () => {
    const clock = new TestClock();
    const fired: number[] = [];
    const fromMs = clock.now();
    clock.after(YEAR, () => fired.push(clock.now() - fromMs));
    await clock.advance(YEAR - 1);
    expect(fired).toEqual([]);
    await clock.advance(1);
    expect(fired).toEqual([YEAR]);
  });

  it("does not fire at once on the real scheduler, and can be called off", async () => {
    const clock = createClock(asyncScheduler);
    let fired = 0;
    const timer = clock.after(YEAR, () => void (fired += 1));
    await clock.sleep(30);
    timer.unsubscribe();
    expect(fired).toBe(0);
  });

  it("is given to the scheduler in parts that fit", () => {
    const scheduler = new VirtualTimeScheduler();
    createClock(scheduler).after(YEAR, () => {});
    expect(scheduler.actions.map(({ delay }) => delay)).toEqual([2 ** 31 - 1]);
  });
});

describe("sleep", () => {
  it("ends at once when its signal is aborted, and leaves no timer", async () => {
    const clock = new TestClock();
    const abort = new AbortController();
    let slept = false;
    const sleep = clock.sleep(1_000, abort.signal).then(() => (slept = true));
    await clock.settle();
    expect(slept).toBe(false);
    abort.abort();
    await sleep;
    expect(clock.scheduler.actions).toEqual([]);
    await clock.sleep(1_000, abort.signal); // aborted before it began
  });
});

describe("the test clock", () => {
  it("does what is due in the order of time, and lets promises follow in between", async () => {
    const clock = new TestClock(0);
    const said: string[] = [];
    clock.after(2, () => said.push(`b ${clock.now()}`));
    clock.after(1, () => {
      said.push(`a ${clock.now()}`);
      void Promise.resolve()
        .then(() => clock.sleep(0))
        .then(() => said.push(`after a ${clock.now()}`));
    });
    await clock.advance(5);
    expect([said, clock.now()]).toEqual([["a 1", "after a 1", "b 2"], 5]);
  });

  it("throws what a timer throws", async () => {
    const clock = new TestClock();
    clock.after(1, () => {
      throw new Error("odd");
    });
    await expect(clock.advance(1)).rejects.toThrow("odd");
  });

  it("says what did not come about", async () => {
    const clock = new TestClock();
    const never = (): boolean => clock.now() < 0;
    await expect(clock.until(never, 1_000)).rejects.toThrow("it did not come about within 1000 ms");
  });
});
