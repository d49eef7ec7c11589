// The thread itself, in real time.
import { afterAll, expect, test } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import type { LogRule } from "../../../src/engine/log-rules/rule.ts";
import { SEARCH_MS, startLogSearch } from "../../../src/engine/log-rules/search.ts";
import { TestClock } from "../../../src/testing/index.ts";

const rule = (pattern: string, score = 1): LogRule => ({ pattern, report: "", score });
const search = startLogSearch(createClock());
afterAll(() => search.close());

test("finds in its thread, and looks at rules there", async () => {
  const found = await search.find("a\nerror: b\n", [rule("^error")]);
  expect(found).toMatchObject({ ok: true, value: { best: { headline: "error: b" } } });
  const checked = await search.check([rule("fine"), rule("(")]);
  expect(checked.ok && checked.value.map((fault) => fault === undefined)).toEqual([true, false]);
});

test.each(["(a+)+$", "(.*)*x", "(a|aa)+$", "(x+x+)+y", "(a?){1000}b"])(
  "%s takes no time on hostile text",
  async (pattern) => {
    const log = `${"a".repeat(100_000)}!\n${"x".repeat(100_000)}\n`;
    const found = await search.find(log, [rule(pattern)]);
    expect(found.ok && found.value.slow).toBeUndefined();
  },
);

test("what takes too long is ended; what was found before stands, and the next search goes well", async () => {
  const clock = new TestClock();
  let tell: (rule: LogRule) => void = () => {};
  const atWork = new Promise<LogRule>((resolve) => {
    tell = resolve;
  });
  const own = startLogSearch(clock, (one) => one.pattern !== "sure" && tell(one));
  const log = `${"ab".repeat(500_000)}\na sure sign\n`;
  // all score the same, so each has its turn: together they would take far longer than it takes to end them
  const many = Array.from({ length: 400 }, (_, number) => rule(`(?:[ab]{${number + 1}})+[^ab\\n]`));
  const searching = own.find(log, [rule("sure"), ...many]);
  await atWork;
  await clock.advance(SEARCH_MS);
  const found = await searching;
  expect(found).toMatchObject({ ok: true, value: { best: { headline: "a sure sign" } } });
  expect(found.ok && many.some(({ pattern }) => pattern === found.value.slow?.pattern)).toBe(true);
  const next = await own.find("sure\n", [rule("sure")]);
  expect(next).toMatchObject({ ok: true, value: { best: { headline: "sure" } } });
  expect(next.ok && next.value.slow).toBeUndefined();
  await own.close();
});

test("rules that take too long to be looked at end the thread and nothing else", async () => {
  const clock = new TestClock();
  const own = startLogSearch(clock);
  expect(await own.find("a\n", [rule("a")])).toMatchObject({ ok: true });
  const huge = Array.from({ length: 900 }, (_, number) => rule(`(?:[a-z]{1000}|[0-9]{1000}x{${number + 1}}).`));
  const checking = own.check(huge);
  await clock.advance(SEARCH_MS);
  expect(await checking).toMatchObject({ ok: false, error: { code: "LOG_SEARCH_FAILED" } });
  expect(await own.find("a\n", [rule("a")])).toMatchObject({ ok: true, value: { best: { headline: "a" } } });
  await own.close();
});

test("whoever waits when it is closed is told so, and so is who comes later", async () => {
  const own = startLogSearch(new TestClock());
  const asked = [1, 2, 3].map(() => own.find("a\n", [rule("a")]));
  await own.close();
  const answers = [...(await Promise.all(asked)), await own.find("a\n", [rule("a")])];
  expect(answers.map((answer) => !answer.ok && answer.error.code)).toEqual(answers.map(() => "LOG_SEARCH_FAILED"));
});

test("what is too much at once is turned away", async () => {
  const own = startLogSearch(new TestClock());
  const asked = Array.from({ length: 30 }, () => own.find("a\n", [rule("a")]));
  const answers = await Promise.all(asked);
  expect(answers.filter(({ ok }) => ok).length).toBe(21); // one at work and twenty that wait
  await own.close();
});
