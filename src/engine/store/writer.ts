import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import type { Failure } from "../../term/output.ts";
import { problem } from "../errors.ts";
import type { Batch } from "./batch.ts";
import type { Committer, GroupAnswer, ProbeAnswer } from "./committer.ts";

/** The one who writes. One call at a time; answers come in the order of the calls. */
export interface Writer {
  write(group: readonly Batch[]): Promise<GroupAnswer>;
  probe(nowMs: number): Promise<ProbeAnswer>;
  close(): Promise<void>;
}

/** Writes in this thread: for virtual time, and for a database in memory. */
export function inlineWriter(committer: Committer): Writer {
  return {
    write: async (group) => committer.run(group),
    probe: async (nowMs) => committer.probe(nowMs),
    close: async () => committer.close(),
  };
}

export interface ThreadStart {
  readonly dir: string;
  readonly path: string;
  readonly epoch: number;
}

export type Ask =
  | { readonly ask: "open"; readonly start: ThreadStart }
  | { readonly ask: "write"; readonly group: readonly Batch[] }
  | { readonly ask: "probe"; readonly nowMs: number }
  | { readonly ask: "close" };

export type Answer = GroupAnswer | ProbeAnswer | { readonly kind: "open" | "closed" };

/** The writer's thread on its way up: it takes as long as checking a database, so both are done at once. */
export interface Thread {
  /** Gives it its database. What is asked of the writer waits until that is open. */
  open(start: ThreadStart): ThreadWriter;
  /** It is not needed after all. */
  end(): Promise<void>;
}

export interface ThreadWriter extends Writer {
  /** Resolves once its connection is open, or with why it could not be opened: then it answers that for ever. */
  readonly opened: Promise<Failure | undefined>;
}

export function beginThread(path: string): Thread {
  const worker = startThread();
  const waiting: ((answer: Answer) => void)[] = [];
  let ended: Answer | undefined;
  const die = (message: string): void => {
    ended = { kind: "fatal", error: problem("STATE_IO", `${path}: the writer's thread ended: ${message}`) };
    for (const resolve of waiting.splice(0)) resolve(ended);
  };
  worker.on("message", (answer: Answer) => waiting.shift()?.(answer));
  worker.on("error", (error) => die(error instanceof Error ? error.message : String(error)));
  worker.on("exit", (code) => die(`exit ${code}`));
  const ask = (message: Ask): Promise<Answer> => {
    if (ended !== undefined) return Promise.resolve(ended);
    const answer = new Promise<Answer>((resolve) => waiting.push(resolve));
    worker.postMessage(message, []); // nothing is moved, all is copied
    return answer;
  };
  const end = async (): Promise<void> => void (await worker.terminate());
  return { open: (start) => writerOf(ask, end, start), end };
}

function writerOf(ask: (message: Ask) => Promise<Answer>, end: () => Promise<void>, start: ThreadStart): ThreadWriter {
  const opened = ask({ ask: "open", start });
  return {
    opened: opened.then((answer) => (answer.kind === "fatal" ? answer.error : undefined)),
    write: async (group) => expectAnswer(await ask({ ask: "write", group }), isGroupAnswer),
    probe: async (nowMs) => expectAnswer(await ask({ ask: "probe", nowMs }), isProbeAnswer),
    close: async () => {
      await ask({ ask: "close" });
      await end();
    },
  };
}

/** Runs the compiled file when this one is compiled, else the source through tsx, which is there in development. */
function startThread(): Worker {
  const options = { execArgv: [], name: "millrace store" };
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./writer-thread.js", import.meta.url), options);
  // as a module: its CommonJS twin looks for its hooks in the wrong folder
  const tsx = createRequire(import.meta.url)
    .resolve("tsx/esm/api")
    .replace(/\.cjs$/, ".mjs");
  const entry = new URL("./writer-thread.ts", import.meta.url).href;
  // registered from within: Node 20 ignores the hooks of an `--import` given to a thread
  const code = `import(${JSON.stringify(tsx)}).then((tsx) => tsx.register() && import(${JSON.stringify(entry)}))`;
  return new Worker(code, { ...options, eval: true });
}

const isGroupAnswer = (answer: Answer): answer is GroupAnswer => answer.kind === "settled" || answer.kind === "fatal";
const isProbeAnswer = (answer: Answer): answer is ProbeAnswer =>
  answer.kind === "room" || answer.kind === "none" || answer.kind === "fatal";

function expectAnswer<T extends Answer>(answer: Answer, is: (answer: Answer) => answer is T): T {
  if (is(answer)) return answer;
  throw new Error(`the writer's thread answered ${answer.kind} out of turn`);
}
