import { describe, expect, it } from "vitest";
import { SharedPool } from "../../src/engine/shares.ts";

const patient = new AbortController().signal;
const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** Asks for a place; `has` is true once it was given. */
function asks(pool: ReturnType<SharedPool["for"]>, signal = patient) {
  const asked = { has: false, back: () => {} };
  void pool.acquire(signal).then((giveBack) => {
    if (giveBack === undefined) return;
    asked.has = true;
    asked.back = giveBack;
  });
  return asked;
}

describe("a pool that nobody can fill alone", () => {
  it("lets others pass those who have their share", async () => {
    const pool = new SharedPool("check", 3);
    const mallory = () => asks(pool.for([{ name: "author 66", max: 2 }]));
    const greedy = [mallory(), mallory(), mallory(), mallory()];
    const other = asks(pool.for([{ name: "author 1", max: 2 }]));
    await settle();
    expect([...greedy, other].map(({ has }) => has)).toEqual([true, true, false, false, true]);
    greedy[0]?.back();
    await settle();
    expect(greedy.map(({ has }) => has)).toEqual([true, true, true, false]);
    expect(pool.used).toBe(3);
  });

  it("counts all shares of one, and gives back all of them, also of one who left", async () => {
    const pool = new SharedPool("check", 1);
    const shares = [
      { name: "author", max: 2 },
      { name: "repository", max: 2 },
    ];
    const first = asks(pool.for(shares));
    const leaving = new AbortController();
    const second = asks(pool.for(shares), leaving.signal);
    const third = asks(pool.for(shares));
    await settle();
    expect([first, second, third].map(({ has }) => has)).toEqual([true, false, false]);
    leaving.abort();
    first.back();
    first.back(); // once is enough
    await settle();
    expect([second.has, third.has]).toEqual([false, true]);
    third.back();
    await settle();
    const last = asks(pool.for([{ name: "another", max: 1 }]));
    await settle();
    expect([pool.used, pool.shares, last.has]).toEqual([1, 1, true]);
  });
});
