import { failure, type Result, success } from "../../term/output.ts";
import type { Clock } from "../clock.ts";
import { problem } from "../errors.ts";
import type { LogFiles } from "../job-log.ts";
import type { Journal } from "../journal.ts";
import { scrub } from "../secret.ts";
import type { JobRow, Queries } from "../store/store.ts";
import { builtIn } from "./built-in.ts";
import { faulty, rulesOfCsv } from "./csv.ts";
import { byScore, decodeRules, encodeRules, type Found, type LogRule, RULES_MAX, shapeFault } from "./rule.ts";
import type { LogSearch } from "./search.ts";

export const HEADLINE_CHARS_MAX = 200;
const SETTING = "log rules";
/** The end of a log is searched: what stopped a job stands there. */
const SEARCHED_BYTES = 1024 * 1024;
const TESTED_JOBS = 100;
const TESTED_MS = 10_000;

export interface LogRulesParts {
  readonly clock: Clock;
  readonly queries: Pick<Queries, "setting" | "jobs">;
  readonly journal: Journal;
  readonly logs: LogFiles;
  /** Default: no log is searched. */
  readonly search?: LogSearch;
}

/** What a rule would have made of old logs. */
export interface Tested {
  /** Logs that were looked at: of the newest jobs that failed. */
  readonly logs: number;
  /** The time was up before all were looked at. */
  readonly cut: boolean;
  readonly matches: readonly { readonly job: string; readonly description: string; readonly headline: string }[];
}

/** The rules that find the headline of a failed job, and what they find. */
export class LogRules {
  readonly #parts: LogRulesParts;
  #rules: readonly LogRule[];
  readonly #slow = new Map<string, string>();

  constructor(parts: LogRulesParts) {
    this.#parts = parts;
    this.#rules = decodeRules(parts.queries.setting(SETTING)) ?? builtIn;
  }

  /** Whether logs are searched at all. */
  get searches(): boolean {
    return this.#parts.search !== undefined;
  }

  /** Highest score first. */
  list(): readonly LogRule[] {
    return byScore(this.#rules);
  }

  /** Patterns that took too long since the start, each with the job in whose log. */
  slow(): ReadonlyMap<string, string> {
    return this.#slow;
  }

  /** The line that tells best why this job failed. Never fails: a job ends without one then. */
  async headlineOf({ id, log }: Pick<JobRow, "id" | "log">): Promise<string | undefined> {
    const { search } = this.#parts;
    if (search === undefined) return undefined;
    const found = await search.find(await this.#end(log), this.#rules);
    if (!found.ok) return undefined;
    const { best, slow } = found.value;
    if (slow !== undefined) this.#slow.set(slow.pattern, id);
    return best && toldOf(best);
  }

  /** Adds a rule, or replaces the one with its pattern. Fails with `BAD_REQUEST` or `LOG_SEARCH_FAILED`. */
  async put(rule: LogRule): Promise<Result<void>> {
    const faults = await this.#faults([rule]);
    if (!faults.ok) return faults;
    const [fault] = faults.value;
    return fault === undefined ? this.#add([rule]) : failure(problem("BAD_REQUEST", fault));
  }

  /** Fails with `NOT_FOUND`. */
  async remove(pattern: string): Promise<Result<void>> {
    const rest = this.#rules.filter((rule) => rule.pattern !== pattern);
    if (rest.length === this.#rules.length)
      return failure(problem("NOT_FOUND", "no log rule has this pattern: somebody may have removed it"));
    await this.#save(rest);
    return success(undefined);
  }

  /** Adds or replaces all rules of a CSV file, or none of them. The value is their number. */
  async import(csv: string): Promise<Result<number>> {
    const read = rulesOfCsv(csv);
    if (!read.ok) return read;
    if (read.value.length > RULES_MAX) return faulty([`${read.value.length} rules; at most ${RULES_MAX} are allowed`]);
    const rules = read.value.map(({ rule }) => rule);
    const faults = await this.#faults(rules);
    if (!faults.ok) return faults;
    const wrong = faults.value.flatMap((fault, at) =>
      fault === undefined ? [] : [`line ${read.value[at]?.line}: ${fault}`],
    );
    if (wrong.length > 0) return faulty(wrong);
    const added = await this.#add(rules);
    return added.ok ? success(rules.length) : added;
  }

  /** What the rule finds in the logs of the newest failed jobs. Fails with `BAD_REQUEST` or `LOG_SEARCH_FAILED`. */
  async test(rule: LogRule): Promise<Result<Tested>> {
    const { clock, queries, search } = this.#parts;
    const faults = await this.#faults([rule]);
    if (!faults.ok) return faults;
    const [fault] = faults.value;
    if (fault !== undefined || search === undefined)
      return failure(problem("BAD_REQUEST", fault ?? "no log is searched"));
    const untilMs = clock.elapsed() + TESTED_MS;
    const matches: Tested["matches"][number][] = [];
    let logs = 0;
    for (const job of queries.jobs({ state: "failed", limit: TESTED_JOBS })) {
      if (clock.elapsed() > untilMs) return success({ logs, cut: true, matches });
      const found = await search.find(await this.#end(job.log), [rule]);
      if (!found.ok) return found;
      if (found.value.slow !== undefined)
        return failure(problem("BAD_REQUEST", `the pattern takes too long: the log of job ${job.id} was not finished`));
      const { best } = found.value;
      logs += 1;
      if (best !== undefined) matches.push({ job: job.id, description: job.description, headline: toldOf(best) });
    }
    return success({ logs, cut: false, matches });
  }

  close(): void {
    void this.#parts.search?.close();
  }

  async #faults(rules: readonly LogRule[]): Promise<Result<readonly (string | undefined)[]>> {
    const { search } = this.#parts;
    const shapes = rules.map(shapeFault);
    if (search === undefined || shapes.some((fault) => fault !== undefined)) return success(shapes);
    return search.check(rules);
  }

  async #add(added: readonly LogRule[]): Promise<Result<void>> {
    const byPattern = new Map([...this.#rules, ...added].map((rule) => [rule.pattern, rule]));
    if (byPattern.size > RULES_MAX)
      return failure(problem("BAD_REQUEST", `that makes ${byPattern.size} log rules; at most ${RULES_MAX} are kept`));
    await this.#save([...byPattern.values()]);
    return success(undefined);
  }

  async #save(rules: readonly LogRule[]): Promise<void> {
    this.#rules = rules;
    await this.#parts.journal.save({ put: "setting", row: { name: SETTING, value: encodeRules(rules) } });
  }

  async #end(path: string): Promise<string> {
    const { logs } = this.#parts;
    const from = Math.max(0, (await logs.size(path)) - SEARCHED_BYTES);
    const text = new TextDecoder().decode(await logs.read(path, from, SEARCHED_BYTES));
    return from === 0 ? text : text.slice(text.indexOf("\n") + 1); // it may begin inside a line
  }
}

/** A report may put a secret together out of pieces that a log does show. */
function toldOf({ headline }: Found): string {
  const text = scrub(headline);
  return text.length <= HEADLINE_CHARS_MAX ? text : `${text.slice(0, HEADLINE_CHARS_MAX - 1).trimEnd()}…`;
}
