import { describe, expect, test } from "vitest";
import { builtIn } from "../../../src/engine/log-rules/built-in.ts";
import { bestIn, meaningFault, outputOf } from "../../../src/engine/log-rules/match.ts";
import { type LogRule, RULES_MAX, shapeFault } from "../../../src/engine/log-rules/rule.ts";

const rule = (pattern: string, score = 1, report = ""): LogRule => ({ pattern, report, score });
const headline = (log: string, ...rules: readonly LogRule[]): string | undefined =>
  bestIn(log, rules, () => {})?.headline;

describe("the headline of a log", () => {
  test("is the line that the rule with the highest score finds", () => {
    const log = "warning: old\nerror: no such file\nfatal: gone\n";
    expect(headline(log, rule("^warning", 1), rule("^fatal", 3), rule("^error", 2))).toBe("fatal: gone");
  });

  test("is the first line of the log among rules that score the same, whatever their order", () => {
    const rules = [rule("second"), rule("first")];
    expect(headline("a first\na second\n", ...rules)).toBe("a first");
    expect(headline("a first\na second\n", ...rules.toReversed())).toBe("a first");
  });

  test("rules that match the same text do not hide each other", () => {
    // one pass over the text for all of them would take the longer, earlier match and go on behind it
    const rules = [rule("error: .*", 1, "some error"), rule("disk is full", 9, "the disk")];
    expect(headline("error: the disk is full\n", ...rules)).toBe("the disk");
    expect(headline("error: the disk is full\n", ...rules.toReversed())).toBe("the disk");
  });

  test("is made of groups by the report", () => {
    expect(headline("cp: 'a b' not found\n", rule("cp: '(.*)' (not) found", 1, "$1 is $2 there ($0, $$1)"))).toBe(
      "a b is not there (cp: 'a b' not found, $1)",
    );
    expect(headline("ab\n", rule("a(x)?b", 1, "[$1]"))).toBe("[]"); // a group that took no part
  });

  test("leaves out colours, BuildKit's numbers and what Millrace itself wrote", () => {
    const log = "\u001e2026-01-01 00:00:00.000: error: ours\n#12 3.456 \u001b[1;31merror\u001b[0m: theirs\r\n";
    expect(outputOf(log)).toBe("error: theirs\n");
    expect(headline(log, rule("^error: .*$"))).toBe("error: theirs");
  });

  test("is not what the Dockerfile says, but what it led to", () => {
    const log = [
      '#5 [build 2/7] RUN echo "fatal: no" && make',
      "#3 [internal] load metadata for fatal: no",
      "#5 0.123 [1/2] fatal: yes",
      '#5 ERROR: process "/bin/sh -c echo \\"fatal: no\\" && make" did not complete successfully: exit code: 2',
      "#5 DONE 0.1s",
      "#6 ERROR: failed to copy: fatal: as well",
      "",
    ].join("\n");
    expect(outputOf(log)).toBe("[1/2] fatal: yes\nERROR: failed to copy: fatal: as well\n");
  });

  test("is one line", () => {
    expect(headline("a\tb\u0007\n  c\n", rule("a[\\s\\S]*c", 1, "$0"))).toBe("a b c");
  });

  test("nothing found is nothing told", () => {
    expect(headline("all is well\n", rule("error"))).toBeUndefined();
    expect(headline("", ...builtIn)).toBeUndefined();
  });
});

describe("built-in rules", () => {
  test.each([
    ["#9 1.2 write /x: no space left on device", "The disk is full: no space left on device"],
    ["#9 1.2 Killed", "Out of memory: Killed"],
    [
      "#9 src/a.c:3:10: fatal error: zlib.h: No such file or directory",
      "src/a.c:3:10: fatal error: zlib.h: No such file or directory",
    ],
    ["src/x.ts(4,2): error TS2304: Cannot find name 'y'.", "src/x.ts(4,2): error TS2304: Cannot find name 'y'."],
    ["error[E0425]: cannot find value `x`", "error[E0425]: cannot find value `x`"],
    ["#7 0.9 E: Unable to locate package libfoo", "E: Unable to locate package libfoo"],
    ["npm error code E404", "npm error code E404"],
    ["fatal: Could not resolve host: git.example", "fatal: Could not resolve host: git.example"],
    ["Traceback\nValueError: bad literal", "ValueError: bad literal"],
    ["/bin/sh: 1: nginxx: not found", "/bin/sh: 1: nginxx: not found"],
    ["make: *** [Makefile:3: all] Error 2", "make: *** [Makefile:3: all] Error 2"],
  ])("%s", (log, expected) => expect(headline(`#1 0.1 hello\n${log}\nbye\n`, ...builtIn)).toBe(expected));

  test("can be written by hand as well", () => {
    for (const one of builtIn)
      expect([one.pattern, shapeFault(one), meaningFault(one)]).toEqual([one.pattern, undefined, undefined]);
    expect(builtIn.length).toBeLessThan(RULES_MAX);
  });
});

describe("what cannot be a rule", () => {
  test.each([
    ["", "is empty"],
    ["a".repeat(1_001), "1001 bytes; at most 1000"],
    ["é".repeat(501), "1002 bytes; at most 1000"],
    ["a\u0000", "control character"],
  ])("by its shape: %j", (pattern, why) => expect(shapeFault(rule(pattern))).toContain(why));

  test.each([Number.NaN, -1, 1.5, 1_001])("score %d", (score) => {
    expect(shapeFault(rule("a", score))).toContain("whole number");
  });

  test.each([
    ["(a", "missing closing )"],
    ["(a)\\1", "invalid escape"], // a back-reference: no linear time
    ["(?=a)", "Perl syntax"],
    ["(?<=a)b", "invalid"],
    ["(.*)*", "empty text"],
    ["a{1001}", "repeat count"],
    ["((((a{100}){100}){100}){100})", "repeat count"],
  ])("by its meaning: %j", (pattern, why) => expect(meaningFault(rule(pattern))).toContain(why));

  test("a report that names a group which is not there", () => {
    expect(meaningFault(rule("a(b)", 1, "$1 $2"))).toContain("$2, and the pattern has 1 group");
    expect(meaningFault(rule("a", 1, "costs $$5"))).toBeUndefined();
  });
});
