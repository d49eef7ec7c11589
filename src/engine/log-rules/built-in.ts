import type { LogRule } from "./rule.ts";

const rule = (score: number, pattern: string, report = ""): LogRule => ({ pattern, report, score });

/** What is looked for until somebody changes a rule: what stops builds in most languages. Sure signs score highest. */
export const builtIn: readonly LogRule[] = [
  rule(100, "(?i)no space left on device", "The disk is full: $0"),
  rule(100, "(?i)JavaScript heap out of memory|cannot allocate memory|\\bOOMKilled\\b|^Killed$", "Out of memory: $0"),
  rule(90, "(?i)(?:could not|couldn't) resolve host:? ?\\S*|temporary failure (?:in name resolution|resolving) ?\\S*"),
  rule(80, "\\S+:\\d+(?::\\d+)?: (?:fatal )?error: .+", "$0"), // gcc, clang and those who speak like them
  rule(80, "\\S+\\(\\d+,\\d+\\): error TS\\d+: .+|\\S+:\\d+:\\d+ - error TS\\d+: .+", "$0"),
  rule(80, "^error\\[E\\d+\\]: .+"),
  rule(80, "^--- FAIL: .+"),
  rule(70, "^E: .+"), // apt
  rule(70, "^npm (?:ERR!|error) code .+"),
  rule(70, "^ERROR: (?:Could not find a version|No matching distribution) .+"), // pip
  rule(70, "undefined reference to .+"),
  rule(60, "^panic: .+"),
  rule(60, "^fatal: .+"), // git
  rule(50, "^(?:[A-Za-z_]\\w*\\.)*[A-Z]\\w*(?:Error|Exception): .+"),
  rule(50, "^\\S+: (?:\\S+: )*(?:command )?not found$"),
  rule(30, "^(?i:error): .+"),
  rule(20, "^make(?:\\[\\d+\\])?: \\*\\*\\* .+"),
];
