import { array, assert, constantFrom, nat, oneof, property, record, string } from "fast-check";
import { expect, test } from "vitest";
import { csvOf, rulesOfCsv } from "../../../src/engine/log-rules/csv.ts";

const wrong = (text: string): string => {
  const read = rulesOfCsv(text);
  return read.ok ? "" : read.error.message;
};

test("what is written is read again", () => {
  const text = oneof(string(), constantFrom("a,b", 'say "x"', " blank ", "two\nlines", "a\r\nb", "=1+1", ""));
  const rule = record({ pattern: text, report: text, score: nat(1_000) });
  assert(
    property(array(rule), (rules) => {
      const read = rulesOfCsv(csvOf(rules));
      expect(read.ok && read.value.map((one) => one.rule)).toEqual(rules);
    }),
  );
});

test("takes what spreadsheets write: a mark at the start, any ends of lines, blank lines", () => {
  const read = rulesOfCsv('\ufeffpattern,report,score\n\n"a ""b"", c",,7\r\nd,e,8');
  expect(read.ok && read.value).toEqual([
    { line: 3, rule: { pattern: 'a "b", c', report: "", score: 7 } },
    { line: 4, rule: { pattern: "d", report: "e", score: 8 } },
  ]);
});

test("names every line that is wrong, also behind a text of more than one line", () => {
  expect(wrong('pattern,report,score\n"a\nb",x,1\nc,d\ne,f,high\n')).toBe(
    'nothing was imported:\nline 4: got 2 fields, expected 3\nline 5: the score "high" is no number',
  );
  expect(wrong("a,b,1\n")).toContain('line 1: got "a,b,1"');
  expect(wrong("")).toContain("line 1");
  expect(wrong('pattern,report,score\n"a,b,1\n')).toContain("line 2: a quote is not closed");
  expect(wrong('pattern,report,score\n"a"b,c,1\n')).toContain("line 2");
});
