import { describe, expect, test } from "vitest";
import { Engine } from "../../../src/engine/engine.ts";
import { problem } from "../../../src/engine/errors.ts";
import { builtIn } from "../../../src/engine/log-rules/built-in.ts";
import { HEADLINE_CHARS_MAX } from "../../../src/engine/log-rules/log-rules.ts";
import type { LogRule } from "../../../src/engine/log-rules/rule.ts";
import { inlineSearch, type LogSearch } from "../../../src/engine/log-rules/search.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { memoryStore } from "../../../src/engine/store/open.ts";
import { failure } from "../../../src/term/output.ts";
import { MemoryLogs, TestClock } from "../../../src/testing/index.ts";

function start(search: LogSearch = inlineSearch, store = memoryStore({ clock: new TestClock() })) {
  const clock = new TestClock();
  const engine = new Engine({ clock, store, logs: new MemoryLogs(clock), search });
  const run = async (output: string, error = problem("BUILD_FAILED", "exit 1")) => {
    const job = engine.jobs.create({
      op: "build",
      term: "t",
      key: "k",
      description: "build t",
      level: "harmless",
      inputs: {},
      build: 1,
    });
    job.write(output);
    await job.end(error);
    return job.row;
  };
  return { engine, rules: engine.logRules, run, store };
}

const rule = (pattern: string, score = 1, report = ""): LogRule => ({ pattern, report, score });

describe("a job that fails", () => {
  test("keeps its headline, in the store too", async () => {
    const { run, store } = start();
    const { id, headline } = await run("#4 1.0 E: Unable to locate package x\n");
    expect(headline).toBe("E: Unable to locate package x");
    expect(store.queries.job(id)?.headline).toBe(headline);
  });

  test("has it at the moment in which its end is told", async () => {
    const { engine, run } = start();
    const heard: unknown[] = [];
    engine.jobs.changes.subscribe((id) =>
      heard.push([engine.jobs.newest(id)?.state, engine.jobs.newest(id)?.headline]),
    );
    await run("E: gone\n");
    expect(heard.at(-1)).toEqual(["failed", "E: gone"]);
  });

  test("none when it was interrupted or found nothing, and none when the search fails", async () => {
    const { run } = start();
    expect((await run("E: gone\n", problem("INTERRUPTED", "stopped"))).headline).toBeNull();
    expect((await run("all quiet\n")).headline).toBeNull();
    const find = async () => failure(problem("LOG_SEARCH_FAILED", "it ended"));
    expect((await start({ ...inlineSearch, find }).run("E: gone\n")).headline).toBeNull();
  });

  test("tells no secret, even one that a report puts together", async () => {
    const secret = new Secret("hunter2-hunter2");
    const { rules, run } = start();
    await rules.put(rule("password=(hunter2-) (hunter2)", 999, "it is $1$2"));
    expect((await run("password=hunter2- hunter2\n")).headline).toBe("it is ‹secret›");
    await rules.put(rule("long=(y+) (hunter2-) (hunter2)", 999, "$1 $2$3"));
    const long = "y".repeat(HEADLINE_CHARS_MAX - 10);
    expect((await run(`long=${long} hunter2- hunter2\n`)).headline).toBe(`${long} ‹secret›`); // not cut in the middle
    expect((await run(`E: ${"z".repeat(5_000)}\n`)).headline).toHaveLength(HEADLINE_CHARS_MAX);
    expect(secret.reveal()).toBe("hunter2-hunter2");
  });

  test("of a long log the end is searched, from the start of a line", async () => {
    const { rules, run } = start();
    await rules.put(rule("^needle", 999));
    const rest = `${"x".repeat(99)}\n`.repeat(11_000);
    expect((await run(`needle early\n${rest}`)).headline).toBeNull();
    expect((await run(`${rest}needle late\n`)).headline).toBe("needle late");
    expect((await run(`${"needle".repeat(200_000)}\nend\n`)).headline).toBeNull();
  });
});

describe("the rules", () => {
  test("are the built-in ones until somebody changes one; then they are kept over restarts", async () => {
    const { rules, store } = start();
    expect(rules.list()).toHaveLength(builtIn.length);
    await rules.put(rule("^mine", 500));
    await rules.remove("^panic: .+");
    const again = start(inlineSearch, store).rules.list();
    expect(again).toHaveLength(builtIn.length);
    expect(again[0]).toEqual(rule("^mine", 500));
    expect(again.some(({ pattern }) => pattern === "^panic: .+")).toBe(false);
  });

  test("the same pattern replaces", async () => {
    const { rules } = start();
    await rules.put(rule("^mine", 5, "a"));
    await rules.put(rule("^mine", 6, "b"));
    expect(rules.list().filter(({ pattern }) => pattern === "^mine")).toEqual([rule("^mine", 6, "b")]);
  });

  test("a wrong one, an unknown one and one too many are refused", async () => {
    const { rules } = start();
    expect(await rules.put(rule("(a"))).toMatchObject({ ok: false, error: { code: "BAD_REQUEST" } });
    expect(await rules.remove("^nobody")).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
    const many = Array.from({ length: 490 }, (_, number) => `a${number},,1`);
    expect(await rules.import(["pattern,report,score", ...many].join("\n"))).toMatchObject({ ok: false });
    expect(rules.list()).toHaveLength(builtIn.length);
  });

  test("two at once are both kept", async () => {
    const { rules } = start();
    await Promise.all([rules.put(rule("^one")), rules.put(rule("^two"))]);
    expect(rules.list()).toHaveLength(builtIn.length + 2);
  });
});

describe("an import", () => {
  test("takes all rules or none, and names the lines that are wrong", async () => {
    const { rules } = start();
    const bad = await rules.import("pattern,report,score\n^a,,1\n(b,,2\nc,$1,3\n");
    expect(bad.ok ? "" : bad.error.message).toMatch(/^nothing was imported:\nline 3: .*\nline 4: the report names \$1/);
    expect(rules.list()).toHaveLength(builtIn.length);
    expect(await rules.import("pattern,report,score\n^a,,1\n^b,,2\n")).toEqual({ ok: true, value: 2 });
    expect(rules.list()).toHaveLength(builtIn.length + 2);
  });
});

test("a rule can be tried on the logs of jobs that failed", async () => {
  const { rules, run } = start();
  const { id } = await run("it was the moon\n");
  await run("it was the sun\n");
  const tested = await rules.test(rule("the (moon)", 1, "$1"));
  expect(tested).toEqual({
    ok: true,
    value: { logs: 2, cut: false, matches: [{ job: id, description: "build t", headline: "moon" }] },
  });
  expect(await rules.test(rule("(a"))).toMatchObject({ ok: false, error: { code: "BAD_REQUEST" } });
});
