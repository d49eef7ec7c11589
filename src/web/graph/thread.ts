import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import type { Subscription } from "rxjs";
import type { Clock } from "../../engine/clock.ts";
import { problem } from "../../engine/errors.ts";
import { failure, type Result, success } from "../../term/output.ts";
import type { Arrange, Outline, Places } from "./layout.ts";

/** Dense graphs can take Graphviz minutes; a page does not wait for them. */
const DEADLINE_MS = 10_000;
const CLOSING = "the server is closing";

interface Request {
  readonly outline: Outline;
  readonly done: (result: Result<Places>) => void;
}

const refused = (why: string): Result<Places> => failure(problem("LAYOUT_FAILED", why));

export interface LayoutThread {
  readonly arrange: Arrange;
  close(): Promise<void>;
}

/**
 * Layout in one thread of its own, so that pages and effects never wait for it. One request at a time; a request over
 * its deadline ends the thread, and the next one starts another. Fails with `LAYOUT_FAILED`.
 *
 * @param spawn Begins a thread; throws when the machine has none to give.
 */
export function startLayoutThread(clock: Clock, spawn: () => Worker = spawnThread): LayoutThread {
  const queue: Request[] = [];
  let thread: Worker | undefined;
  let current: (Request & { readonly id: number; readonly deadline: Subscription }) | undefined;
  let closed = false;
  let lastId = 0;

  const finish = (result: Result<Places>): void => {
    const request = current;
    current = undefined;
    request?.deadline.unsubscribe();
    request?.done(result);
    next();
  };
  const drop = (why: string): void => {
    void thread?.terminate();
    thread = undefined;
    finish(refused(why));
  };
  const next = (): void => {
    const request = current === undefined ? queue.shift() : undefined;
    if (request === undefined) return;
    if (closed) return request.done(refused(CLOSING));
    const deadline = clock.after(DEADLINE_MS, () => drop(`no layout within ${DEADLINE_MS / 1000} s`));
    current = { ...request, id: ++lastId, deadline };
    try {
      thread ??= open();
      thread.postMessage({ id: lastId, outline: request.outline }, []); // nothing is moved, all is copied
    } catch (error) {
      // not at once: each of a thousand requests that wait would be refused from within the one before
      queueMicrotask(() => drop(`no thread for the layout: ${String(error)}`));
    }
  };
  const open = (): Worker => {
    const worker = spawn();
    worker.on("message", (answer: { id: number; places: Places } | { id: number; error: string }) => {
      if (answer.id !== current?.id) return;
      finish("places" in answer ? success(answer.places) : refused(answer.error));
    });
    worker.on("error", (error: Error) => thread === worker && drop(error.message));
    worker.on("exit", () => thread === worker && drop("the layout thread ended"));
    worker.unref();
    return worker;
  };
  return {
    arrange: (outline) =>
      new Promise((done) => {
        queue.push({ outline, done });
        next();
      }),
    close: async () => {
      closed = true;
      const worker = thread;
      thread = undefined;
      for (const { done } of queue.splice(0)) done(refused(CLOSING));
      if (current !== undefined) finish(refused(CLOSING));
      await worker?.terminate();
    },
  };
}

/** Runs the compiled file when this one is compiled, else the source through tsx, which is there in development. */
export function spawnThread(): Worker {
  const options = { execArgv: [], name: "millrace layout" };
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./layout-thread.js", import.meta.url), options);
  // as a module: its CommonJS twin looks for its hooks in the wrong folder
  const tsx = createRequire(import.meta.url)
    .resolve("tsx/esm/api")
    .replace(/\.cjs$/, ".mjs");
  const entry = new URL("./layout-thread.ts", import.meta.url).href;
  // registered from within: Node 20 ignores the hooks of an `--import` given to a thread
  const code = `import(${JSON.stringify(tsx)}).then((tsx) => tsx.register() && import(${JSON.stringify(entry)}))`;
  return new Worker(code, { ...options, eval: true });
}
