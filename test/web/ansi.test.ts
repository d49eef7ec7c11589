import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logHtml } from "../../src/web/log-html.ts";
import { type LogLine, LogParser } from "../../src/web/static/ansi.js";

const ESC = "\u001b";
const parse = (text: string): LogLine[] => {
  const parser = new LogParser();
  const lines = parser.push(text);
  const last = parser.pending();
  return last === undefined ? lines : [...lines, last];
};
const textOf = (line: LogLine | undefined): string => line?.spans.map((span) => span.text).join("") ?? "";
const html = (text: string): string => logHtml(parse(text), 1, undefined).text;

describe("colours", () => {
  test.each([
    [`${ESC}[31mred${ESC}[0m`, "f1"],
    [`${ESC}[1;32mgreen`, "bold f2"],
    [`${ESC}[95mbright`, "f13"],
    [`${ESC}[41;97mon red`, "f15 on1"],
    [`${ESC}[7minverse`, "fi oni"],
    [`${ESC}[34;7minverse blue`, "fi on4"],
    [`${ESC}[38;5;9mnamed`, "f9"],
    [`${ESC}[38;5;196mcube`, "f1"],
    [`${ESC}[38;2;0;0;190mrgb`, "f4"],
    [`${ESC}[38:2::0:190:0mcolons`, "f2"],
    [`${ESC}[3;4;9mthree`, "italic underline strike"],
    [`${ESC}[1;31m${ESC}[22;39mback`, ""],
    [`${ESC}[31m${ESC}[mreset`, ""],
    [`${ESC}[999;-1;31mjunk around`, ""],
  ])("%j", (text, classes) => {
    expect(parse(text)[0]?.spans.at(-1)?.classes).toBe(classes);
  });

  test("last over lines, but our own lines are never coloured by output", () => {
    const [red, ours, still] = parse(`${ESC}[31mred\n\u001eours\nstill red\n`);
    expect(red?.spans[0]?.classes).toBe("f1");
    expect(ours).toEqual({ ours: true, spans: [{ text: "ours", classes: "" }] });
    expect(still?.spans[0]?.classes).toBe("f1");
  });
});

describe("hostile logs", () => {
  test.each([
    ["a link to javascript:", `${ESC}]8;;javascript:alert(1)${ESC}\\text${ESC}]8;;${ESC}\\`, "text"],
    ["the clipboard", `${ESC}]52;c;ZXZpbA==\u0007after`, "after"],
    ["the title", `${ESC}]0;owned\u0007after`, "after"],
    ["cursor moves", `one${ESC}[1A${ESC}[2K${ESC}[1Gtwo`, "onetwo"],
    ["a device string", `${ESC}Pq#0;2;0;0;0${ESC}\\after`, "after"],
    ["an unfinished sequence hides nothing", `${ESC}]0;rest of the line`, "␛]0;rest of the line"],
    ["a carriage return hides nothing", "failed\rDeploy OK", "failed␍Deploy OK"],
    ["a Windows line end", "line\r", "line"],
    ["bidirectional override", "user\u202Etxt.exe", "user⟨U+202E⟩txt.exe"],
    ["zero width", "a\u200Bb\uFEFFc\u2060", "a⟨U+200B⟩b⟨U+FEFF⟩c⟨U+2060⟩"],
    ["tag characters", "a\u{E0041}", "a⟨U+E0041⟩"],
    ["NUL and C1", "a\u0000b\u009b31mc", "a␀b⟨U+009B⟩31mc"],
    ["a fake of our mark inside a line", "x\u001eours", "x␞ours"],
  ])("%s", (_name, text, shown) => {
    const [line] = parse(text);
    expect(textOf(line)).toBe(shown);
    expect(line?.ours).toBe(false);
  });

  test("markup is text", () => {
    const text = `<script>alert(1)</script><img src=x onerror="alert(1)"></pre>'`;
    expect(html(`${text}\n`)).toContain("&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&quot;");
    expect(html(`${ESC}[31m${text}\n`)).not.toMatch(/<(script|img|\/pre)/);
  });

  test("one endless line is cut, and says so", () => {
    const parser = new LogParser();
    for (let piece = 0; piece < 40; piece++) parser.push("x".repeat(10_000));
    const [line] = parser.push("\n");
    expect(textOf(line)).toHaveLength(65_536 + " … 334464 more characters: see the raw log".length);
  });

  test("a million changes of colour cost no million elements", () => {
    const [line] = parse(`${`${ESC}[31mx${ESC}[32my`.repeat(500_000)}\n`);
    expect(line?.spans.length).toBeLessThanOrEqual(1_001);
  });

  test("a sequence with endless parameters is read in linear time", () => {
    expect(textOf(parse(`${ESC}[${"38;5;".repeat(10_000)}1mend\n`)[0])).toBe("end");
  });
});

const piece = fc.oneof(
  fc.constantFrom(`${ESC}[31m`, `${ESC}[0m`, `${ESC}]0;t\u0007`, "\n", "\r\n", "\u001e", ESC, "\u202e", "<b>", "é😀"),
  fc.string({ unit: "binary" }),
);

test("however a log is cut, its lines are the same", () => {
  fc.assert(
    fc.property(
      fc.array(piece).map((all) => all.join("")),
      fc.array(fc.nat(200)),
      (text, cuts) => {
        const parser = new LogParser();
        const lines: LogLine[] = [];
        let at = 0;
        for (const cut of cuts) {
          lines.push(...parser.push(text.slice(at, at + cut)));
          at = Math.min(text.length, at + cut);
        }
        lines.push(...parser.push(text.slice(at)));
        const last = parser.pending();
        expect(last === undefined ? lines : [...lines, last]).toEqual(parse(text));
      },
    ),
  );
});

test("a parser goes on where another stopped", () => {
  const first = new LogParser();
  first.push(`${ESC}[31mone\ntw`);
  const second = new LogParser(first.style());
  expect(second.push("two\n")).toEqual([{ ours: false, spans: [{ text: "two", classes: "f1" }] }]);
});
