import { expect, it } from "vitest";
import { problem } from "../../../src/engine/errors.ts";
import { Unhurried } from "../../../src/plugins/github/unhurried.ts";
import { failure, type Result, success } from "../../../src/term/output.ts";

/** Questions that are answered by hand, in the order in which they were asked. */
function questions() {
  const open: ((answer: Result<string>) => void)[] = [];
  const ask = () => new Promise<Result<string>>((resolve) => void open.push(resolve));
  return { open, ask, answer: (text: string) => open.shift()?.(success(text)) };
}
const fresh = (text: string) => ({ result: success(text), isOlder: false });
const older = (text: string) => ({ result: success(text), isOlder: true });
/** Lets promises come to rest. */
const rest = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const never = new Promise<void>(() => {});
const over = Promise.resolve();

it("one question is asked at a time, and nobody waits for longer than they have time", async () => {
  const slow = new Unhurried<string>();
  const { ask, open } = questions();
  expect(await slow.get(ask, over)).toBeUndefined();
  expect(await slow.get(ask, over)).toBeUndefined();
  expect(open).toHaveLength(1);
});

it("what came too late for one is there for the next, when there is no time for anything newer", async () => {
  const slow = new Unhurried<string>();
  const { ask, answer, open } = questions();
  await slow.get(ask, over);
  let end = (): void => {};
  const next = slow.get(ask, new Promise((resolve) => void (end = resolve)));
  answer("old");
  await expect.poll(() => open.length).toBe(1);
  end();
  expect(await next).toEqual(older("old"));
});

it("what comes when nobody waits is there for the next as well, once, and nothing that anybody was given before", async () => {
  const slow = new Unhurried<string>();
  const { ask, answer, open } = questions();
  const first = slow.get(ask, never);
  answer("used");
  expect(await first).toEqual(fresh("used"));
  expect(await slow.get(ask, over)).toBeUndefined();
  answer("late");
  await rest();
  expect(await slow.get(ask, over)).toEqual(older("late"));
  expect(await slow.get(ask, over)).toBeUndefined();
  open.shift()?.(failure(problem("FORGE_UNREACHABLE", "502")));
  await rest();
  expect(await slow.get(ask, over)).toBeUndefined();
});

it("what is newer is told when there is time for it, to all who ask", async () => {
  const slow = new Unhurried<string>();
  const { ask, answer, open } = questions();
  await slow.get(ask, over);
  const both = Promise.all([slow.get(ask, never), slow.get(ask, never)]);
  answer("old");
  await expect.poll(() => open.length).toBe(1);
  answer("new");
  await expect.poll(() => open.length).toBe(1); // whoever waited for the other one asks for themselves
  answer("newest");
  expect(await both).toEqual([fresh("new"), fresh("newest")]);
});

it("an exception that comes when nobody waits any more does no harm", async () => {
  const slow = new Unhurried<string>();
  let fail = (): void => {};
  const ask = () => new Promise<never>((_, reject) => void (fail = () => reject(new Error("odd"))));
  expect(await slow.get(ask, over)).toBeUndefined();
  fail();
  await rest();
  expect(await slow.get(async () => success("well"), never)).toEqual(fresh("well"));
});
