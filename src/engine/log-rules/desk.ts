import { failure, type Result } from "../../term/output.ts";
import { type Audit, detailOf } from "../audit.ts";
import { problem } from "../errors.ts";
import { csvOf } from "./csv.ts";
import type { LogRules, Tested } from "./log-rules.ts";
import type { LogRule } from "./rule.ts";

/** Log rules as pages and API see and change them. */
export interface LogRuleDesk {
  /** Highest score first. */
  list(): readonly LogRule[];
  /** As a table for spreadsheets. */
  csv(): string;
  /** Patterns that took too long since the start, each with the job in whose log. */
  slow(): ReadonlyMap<string, string>;
  /** What a rule would have found in the logs of the newest failed jobs. */
  test(rule: LogRule): Promise<Result<Tested>>;
  put(rule: LogRule, who: string, why?: string): Promise<Result<void>>;
  remove(pattern: string, who: string, why?: string): Promise<Result<void>>;
  /** All rules of the file or none; the value is their number. */
  import(csv: string, who: string, why?: string): Promise<Result<number>>;
}

export interface DeskParts {
  readonly rules: LogRules;
  readonly audit: Audit;
  /** Nothing may be changed: every change is refused with `DRY_RUN`. */
  readonly dry: boolean;
}

/** The desk of a running engine: every change, done or refused, is in the audit log before it is answered. */
export function deskOf({ rules, audit, dry }: DeskParts): LogRuleDesk {
  const audited = async <T>(
    who: string,
    what: string,
    subject: string,
    detail: string,
    act: () => Promise<Result<T>>,
    why = "",
  ): Promise<Result<T>> => {
    if (dry) return failure(problem("DRY_RUN", `${what} is refused: this is a dry run, which changes nothing`));
    const result = await act();
    await audit.record(who, what, subject, detailOf(result, why, detail));
    return result;
  };
  return {
    list: () => rules.list(),
    csv: () => csvOf(rules.list()),
    slow: () => rules.slow(),
    test: (rule) => rules.test(rule),
    put: (rule, who, why) => {
      const detail = `score ${rule.score}, report ${JSON.stringify(rule.report)}`;
      return audited(who, "log-rule", rule.pattern.slice(0, SUBJECT_MAX), detail, () => rules.put(rule), why);
    },
    remove: (pattern, who, why) =>
      audited(who, "log-rule-remove", pattern.slice(0, SUBJECT_MAX), "", () => rules.remove(pattern), why),
    import: (csv, who, why) =>
      audited(who, "log-rule-import", `${csv.length} characters`, "", () => rules.import(csv), why),
  };
}

/** What is refused may be of any length; a rule is shorter. */
const SUBJECT_MAX = 1_000;
