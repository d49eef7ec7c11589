import { describe, expect, it } from "vitest";
import { Pool } from "../../src/engine/pool.ts";

/** Asks for a place under a name; what happens is said in order. */
function queue(pool: Pool, said: string[]) {
  const ask = (name: string, priority: "high" | "low" = "high") => {
    const abort = new AbortController();
    const place = pool.acquire(abort.signal, priority).then((giveBack) => {
      said.push(giveBack === undefined ? `${name} left` : name);
      return giveBack;
    });
    return { leave: () => abort.abort("cancelled"), place };
  };
  return ask;
}

const still = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("a pool", () => {
  it("gives its places to the first that come, then in order", async () => {
    const [said, pool] = [[] as string[], new Pool("builds", 2)];
    const ask = queue(pool, said);
    const [a, b] = [ask("a"), ask("b"), ask("c"), ask("d")];
    await still();
    expect([said, pool.used, pool.waiting]).toEqual([["a", "b"], 2, 2]);
    (await b.place)?.();
    await still();
    (await a.place)?.();
    await still();
    expect(said).toEqual(["a", "b", "c", "d"]);
  });

  it("serves what somebody waits for before what renews a value", async () => {
    const [said, pool] = [[] as string[], new Pool("builds", 1)];
    const ask = queue(pool, said);
    const first = ask("first");
    const rest = [ask("low 1", "low"), ask("high 1"), ask("low 2", "low"), ask("high 2")];
    (await first.place)?.();
    for (const at of [1, 3, 0]) {
      await still();
      (await rest[at]?.place)?.();
    }
    await still();
    expect(said).toEqual(["first", "high 1", "high 2", "low 1", "low 2"]);
  });

  it("forgets who leaves while waiting, and gives the place to nobody who left", async () => {
    const [said, pool] = [[] as string[], new Pool("builds", 1)];
    const ask = queue(pool, said);
    const [first, second] = [ask("first"), ask("second"), ask("third")];
    await still();
    second.leave();
    await still();
    expect([said, pool.waiting]).toEqual([["first", "second left"], 1]);
    (await first.place)?.();
    await still();
    expect([said.at(-1), pool.used]).toEqual(["third", 1]);
  });

  it("lets one leave that came too late, also with no place at all", async () => {
    const [said, pool] = [[] as string[], new Pool("none", 0)];
    const one = queue(pool, said)("one");
    await still();
    one.leave();
    expect(await one.place).toBeUndefined();
    const gone = new AbortController();
    gone.abort();
    expect(await pool.acquire(gone.signal)).toBeUndefined();
    expect([pool.used, pool.waiting]).toEqual([0, 0]);
  });

  it("takes a place back once", async () => {
    const pool = new Pool("builds", 2);
    const giveBack = await pool.acquire(new AbortController().signal);
    await pool.acquire(new AbortController().signal);
    giveBack?.();
    giveBack?.();
    expect(pool.used).toBe(1);
  });
});
