/* oxlint-disable no-control-regex */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exitOf } from "../../src/app/exit.ts";
import type { Io } from "../../src/app/io.ts";
import { lengthText } from "../../src/app/job-text.ts";
import type { Plan } from "../../src/app/options.ts";
import { planFailed, planIdle, printPlan } from "../../src/app/plan-text.ts";
import { reportFault } from "../../src/app/report.ts";
import { LogPrinter, safeText } from "../../src/app/safe-text.ts";
import { problem } from "../../src/engine/errors.ts";
import { MARK } from "../../src/engine/job-log.ts";

function recorder(): { readonly io: Io; readonly lines: string[] } {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const paint = (_: unknown, text: string): string => text;
  return { io: { out: say, err: say, write: say, paint, paintErr: paint, cwd: "/", dockerHost: undefined }, lines };
}

describe("a plan", () => {
  const plan: Plan = {
    flavour: "demo",
    lines: [
      { term: "a", action: "reuse", detail: "build Dockerfile of demo/hello at 9fceb02", at: "pipeline.ts:10" },
      {
        term: "b",
        action: "held",
        detail: "swarm service demo_hello on here",
        changes: [{ field: "image", before: "sha256:aa", after: "sha256:bb" }],
      },
      { term: "c", action: "failed", detail: "head of live", failure: problem("MISSING_BRANCH", "no branch live") },
    ],
  };

  it("is a line a term, with what a target would change", () => {
    const { io, lines } = recorder();
    printPlan(io, plan);
    expect(lines).toEqual([
      "reuse   build Dockerfile of demo/hello at 9fceb02  (pipeline.ts:10)",
      "held    swarm service demo_hello on here",
      "        image: sha256:aa → sha256:bb",
      "failed  head of live",
      "        no branch live",
      "        Push the branch, or correct its name in pipeline.ts.",
      "demo: 1 held for a person, 1 failed, 1 reused",
    ]);
    expect([planIdle(plan), planFailed(plan)]).toEqual([false, true]);
  });

  it("of nothing is idle", () => {
    const { io, lines } = recorder();
    printPlan(io, { flavour: "demo", lines: [] });
    expect(lines).toEqual(["demo: nothing to do"]);
    expect(planIdle({ flavour: "demo", lines: plan.lines.slice(0, 1) })).toBe(true);
  });
});

describe("text for a terminal", () => {
  it.each([
    ["\u001b[1;31mred\u001b[0m", "\u001b[1;31mred\u001b[0m"],
    ["\u001b]8;;javascript:alert(1)\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001b]52;c;ZXZpbA==\u0007x", "x"],
    ["\u001b]0;never ended", ""],
    ["\u001b[2J\u001b[1;1H\u001b[?25lx\u001b7", "x"],
    ["\u001bP+q\u001b\\x", "x"],
    ["Deploy OK\rfailed", "Deploy OKfailed"],
    ["a\u0000b\u009bc\u202ed\u200be", "abcde"],
    ["tab\tstays", "tab\tstays"],
  ])("%j becomes %j", (text, safe) => expect(safeText(text)).toBe(safe));

  it("holds no control but colours, tabs and line ends, whatever comes", () => {
    const nasty = fc.string({
      unit: fc.constantFrom("\u001b", "[", "]", "m", "3", ";", "\\", "\u0007", "P", "x", "\n"),
    });
    fc.assert(
      fc.property(nasty, (text) => {
        expect(safeText(text).replaceAll(/\u001b\[[\d;]*m/g, "")).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
      }),
    );
  });

  it("is printed by whole lines, however it is cut", () => {
    const whole = `${MARK}ours\n\u001b[31mred\u001b[0m\nlast`;
    for (let at = 0; at <= whole.length; at += 1) {
      let printed = "";
      const printer = new LogPrinter(
        (text) => (printed += text),
        (line) => `> ${line}`,
      );
      printer.add(whole.slice(0, at));
      printer.add(whole.slice(at));
      printer.end();
      expect(printed).toBe("> ours\n\u001b[31mred\u001b[0m\nlast\n");
    }
  });

  it.each([
    [8_200, "8 s"],
    [130_000, "2 m 10"],
    [3_605_000, "60 m 05"],
  ])("%i ms is %s", (ms, text) => expect(lengthText(ms)).toBe(text));
});

describe("an unexpected exception", () => {
  it("is one line and a plea; its stack only for those who ask", () => {
    const quiet = recorder();
    expect(reportFault(quiet.io, new TypeError("x is not a function"), false)).toBe("fatal");
    expect(quiet.lines).toEqual([
      "millrace: x is not a function",
      "  This is a fault of Millrace. Run it again with -v, and report it.",
    ]);
    const loud = recorder();
    reportFault(loud.io, new TypeError("x is not a function"), true);
    expect(loud.lines.join("\n")).toMatch(/^ {4}at /m);
  });
});

describe("the exit of a failure", () => {
  it.each([
    ["PIPELINE_SYNTAX", "pipeline"],
    ["STATE_IN_USE", "occupied"],
    ["PORT_IN_USE", "occupied"],
    ["STATE_DAMAGED", "fatal"],
    ["ENGINE_UNREACHABLE", "unreachable"],
    ["BUILD_FAILED", "failed"],
    ["LOGIN_REFUSED", "forbidden"],
  ] as const)("%s: %s", (code, exit) => expect(exitOf(problem(code, ""))).toBe(exit));
});
