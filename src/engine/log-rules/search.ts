import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import type { Subscription } from "rxjs";
import { failure, type Result, success } from "../../term/output.ts";
import type { Clock } from "../clock.ts";
import { problem } from "../errors.ts";
import { bestIn, meaningFault } from "./match.ts";
import type { Found, LogRule } from "./rule.ts";

/** What came of searching a log. */
export interface Search {
  readonly best?: Found;
  /** The rule that was at work when the time was up. What those before it found stands. */
  readonly slow?: LogRule;
}

/** Looks for rules in logs, and at rules. Fails with `LOG_SEARCH_FAILED`. */
export interface LogSearch {
  find(log: string, rules: readonly LogRule[]): Promise<Result<Search>>;
  /** For each rule why it cannot be used, or undefined. */
  check(rules: readonly LogRule[]): Promise<Result<readonly (string | undefined)[]>>;
  close(): Promise<void>;
}

export type Ask =
  | { readonly ask: "find"; readonly log: string; readonly rules: readonly LogRule[] }
  | { readonly ask: "check"; readonly rules: readonly LogRule[] };

export type Answer =
  | { readonly kind: "up" }
  | { readonly kind: "at"; readonly id: number; readonly rule: LogRule; readonly best: Found | undefined }
  | { readonly kind: "found"; readonly id: number; readonly best: Found | undefined }
  | { readonly kind: "checked"; readonly id: number; readonly faults: readonly (string | undefined)[] }
  | { readonly kind: "failed"; readonly id: number; readonly why: string };

type At = Extract<Answer, { kind: "at" }>;

/** What one log or one list of rules may take, in milliseconds. */
export const SEARCH_MS = 2_000;
/** What the thread may take to come up on a busy machine. */
const START_MS = 30_000;
const WAITING_MAX = 20;
/** A pattern whose states fill the memory ends its thread, not the process. */
const MEMORY_MB = 256;

/** In this thread, without a deadline: for tests in virtual time. */
export const inlineSearch: LogSearch = {
  find: async (log, rules) => {
    const best = bestIn(log, rules, () => {});
    return success(best === undefined ? {} : { best });
  },
  check: async (rules) => success(rules.map(meaningFault)),
  close: () => Promise.resolve(),
};

interface Request {
  readonly ask: Ask;
  readonly done: (answer: Result<Answer>) => void;
}

/**
 * In a thread of its own that is started when it is first needed, so that neither effects nor pages wait for a search.
 * One request at a time; what takes longer than its deadline ends the thread, and the next request starts another.
 *
 * @param at  Told which rule is at work.
 */
export function startLogSearch(clock: Clock, at: (rule: LogRule) => void = () => {}): LogSearch {
  const line = new Line(clock, at);
  return {
    find: async (log, rules) => {
      if (log === "" || rules.length === 0) return success({});
      const answer = await line.ask({ ask: "find", log, rules });
      if (!answer.ok) return answer;
      if (answer.value.kind !== "found" && answer.value.kind !== "at") return unexpected;
      const { best } = answer.value;
      const slow = answer.value.kind === "at" ? { slow: answer.value.rule } : {};
      return success({ ...(best === undefined ? {} : { best }), ...slow });
    },
    check: async (rules) => {
      const answer = await line.ask({ ask: "check", rules });
      if (!answer.ok) return answer;
      return answer.value.kind === "checked" ? success(answer.value.faults) : unexpected;
    },
    close: () => line.close(),
  };
}

const failed = (why: string): Result<never> => failure(problem("LOG_SEARCH_FAILED", why));
const unexpected = failed("the search answered out of turn");

/** The requests on their way to the thread. */
class Line {
  readonly #clock: Clock;
  readonly #at: (rule: LogRule) => void;
  readonly #waiting: Request[] = [];
  #thread: Worker | undefined;
  #up = false;
  #current: (Request & { readonly id: number; latest: At | undefined }) | undefined;
  #deadline: Subscription | undefined;
  #lastId = 0;
  #closed = false;

  constructor(clock: Clock, at: (rule: LogRule) => void) {
    this.#clock = clock;
    this.#at = at;
  }

  ask(ask: Ask): Promise<Result<Answer>> {
    if (this.#closed) return Promise.resolve(failed("Millrace is being stopped"));
    if (this.#waiting.length >= WAITING_MAX) return Promise.resolve(failed("too many logs are searched at once"));
    return new Promise((done) => {
      this.#waiting.push({ ask, done });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { done } of this.#waiting.splice(0)) done(failed("Millrace is being stopped"));
    await this.#drop("Millrace is being stopped");
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const request = this.#waiting.shift();
    if (request === undefined) return;
    this.#lastId += 1;
    this.#current = { ...request, id: this.#lastId, latest: undefined };
    try {
      this.#thread ??= this.#open();
    } catch (error) {
      return this.#finish(failed(`no thread could be started: ${reasonOf(error)}`)); // the machine is short of something
    }
    this.#thread.postMessage({ id: this.#lastId, ...request.ask }, []); // nothing is moved, all is copied
    this.#watch();
  }

  /** The time counts from when the thread can begin. */
  #watch(): void {
    this.#deadline?.unsubscribe();
    this.#deadline = this.#clock.after(this.#up ? SEARCH_MS : START_MS, () => void this.#timeUp());
  }

  async #timeUp(): Promise<void> {
    const latest = this.#current?.latest;
    if (latest === undefined) return this.#drop(`no answer within ${SEARCH_MS / 1000} s`);
    await this.#drop("", success(latest));
  }

  async #drop(why: string, answer: Result<Answer> = failed(why)): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#up = false;
    this.#finish(answer);
    await thread?.terminate();
  }

  #finish(answer: Result<Answer>): void {
    const request = this.#current;
    this.#current = undefined;
    this.#deadline?.unsubscribe();
    request?.done(answer);
    this.#next();
  }

  #open(): Worker {
    const worker = spawn();
    worker.on("message", (answer: Answer) => this.#thread === worker && this.#hear(answer));
    worker.on("error", (error) => this.#thread === worker && void this.#drop(reasonOf(error)));
    worker.on("exit", () => this.#thread === worker && void this.#drop("the thread that searches ended"));
    worker.unref();
    return worker;
  }

  #hear(answer: Answer): void {
    if (answer.kind === "up") {
      this.#up = true;
      if (this.#current !== undefined) this.#watch();
      return;
    }
    const current = this.#current;
    if (answer.id !== current?.id) return;
    if (answer.kind === "at") {
      current.latest = answer;
      return this.#at(answer.rule);
    }
    this.#finish(answer.kind === "failed" ? failed(answer.why) : success(answer));
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs the compiled file when this one is compiled, else the source through tsx, which is there in development. */
function spawn(): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: MEMORY_MB };
  const options = { execArgv: [], name: "millrace log rules", resourceLimits };
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./search-thread.js", import.meta.url), options);
  // as a module: its CommonJS twin looks for its hooks in the wrong folder
  const tsx = createRequire(import.meta.url)
    .resolve("tsx/esm/api")
    .replace(/\.cjs$/, ".mjs");
  const entry = new URL("./search-thread.ts", import.meta.url).href;
  // registered from within: Node 20 ignores the hooks of an `--import` given to a thread
  const code = `import(${JSON.stringify(tsx)}).then((tsx) => tsx.register() && import(${JSON.stringify(entry)}))`;
  return new Worker(code, { ...options, eval: true });
}
