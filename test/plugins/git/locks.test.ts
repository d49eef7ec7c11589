import { expect, test } from "vitest";
import { Locks } from "../../../src/plugins/git/locks.ts";

const NEVER = new AbortController().signal;

test("who is to be behind waits for all others, also for those who come later", async () => {
  const locks = new Locks();
  const said: string[] = [];
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const all = [locks.hold("a", NEVER, () => gate)];
  for (const [name, behind] of Object.entries({ check: true, other: true, deploy: false }))
    all.push(locks.hold("a", NEVER, async () => void said.push(name), behind));
  open();
  await Promise.all(all);
  expect(said).toEqual(["deploy", "check", "other"]);
});

test("what has one name runs one after the other, in order, also after a failure; another name does not wait", async () => {
  const locks = new Locks();
  const said: string[] = [];
  const gates = new Map<string, () => void>();
  const work =
    (name: string, fails = false) =>
    async () => {
      said.push(`${name} begins`);
      await new Promise<void>((resolve) => gates.set(name, resolve));
      said.push(`${name} ends`);
      if (fails) throw new Error(name);
    };
  const first = locks.hold("a", NEVER, work("first", true)).catch(() => said.push("first failed"));
  const second = locks.hold("a", NEVER, work("second"));
  const other = locks.hold("b", NEVER, work("other"));
  await Promise.resolve();
  expect(said).toEqual(["first begins", "other begins"]);
  gates.get("first")?.();
  await first;
  gates.get("other")?.();
  await other;
  gates.get("second")?.();
  await second;
  expect(said.filter((line) => !line.startsWith("other"))).toEqual([
    "first begins",
    "first ends",
    "second begins",
    "first failed",
    "second ends",
  ]);
});

test("whoever gives up waiting never has a turn, and nobody waits for it", async () => {
  const locks = new Locks();
  const said: string[] = [];
  const say = (name: string) => async (): Promise<string> => {
    said.push(name);
    return name;
  };
  let open = (): void => {};
  const [late, early] = [new AbortController(), new AbortController()];
  early.abort();
  const first = locks.hold("a", NEVER, () => new Promise<void>((resolve) => void (open = resolve)));
  const given = [locks.hold("a", late.signal, say("late")), locks.hold("a", early.signal, say("early"))];
  const next = locks.hold("a", NEVER, say("next"));
  late.abort();
  expect(await Promise.all(given)).toEqual([undefined, undefined]);
  expect(said).toEqual([]);
  open();
  await first;
  expect(await next).toBe("next");
  expect([await locks.hold("a", early.signal, say("early")), await locks.hold("a", NEVER, say("last"))]).toEqual([
    undefined,
    "last",
  ]);
});
