// One measurement in a process of its own: `node --expose-gc dist/bench/measure.js '{"work":"star",…}'` prints one line of JSON.
import { loadavg } from "node:os";
import { isEngineName } from "./engines/engine.ts";
import { type Figures, isRecord, type Outcome, type Task, workNames } from "./task.ts";

async function measure(task: Task): Promise<Figures> {
  switch (task.work) {
    case "star":
      return (await import("./rows/star.ts")).measureStar(task);
    case "build":
      return (await import("./rows/star.ts")).measureColdBuild(task);
    case "shape":
      return (await import("./rows/shapes.ts")).measureShape(task);
    case "depth":
      return (await import("./rows/shapes.ts")).measureDepth(task);
    case "async":
      return (await import("./rows/async-ladder.ts")).measureAsyncLadder(task);
    case "restart":
      return (await import("./rows/restart.ts")).measureRestart(task);
    case "idle":
      return (await import("./rows/idle.ts")).measureIdle(task);
    case "branch":
      return (await import("./rows/branch.ts")).measureBranch(task);
    case "bookkeeping":
      return (await import("./rows/bookkeeping.ts")).measureBookkeeping(task);
    case "burst":
      return (await import("./rows/burst.ts")).measureBurst(task);
    case "webhooks":
      return (await import("./rows/webhooks.ts")).measureWebhooks(task);
    case "unsigned":
      return (await import("./rows/webhooks.ts")).measureUnsigned(task);
    case "streams":
      return (await import("./rows/streams.ts")).measureStreams(task);
    case "drawing":
      return (await import("./rows/drawing.ts")).measureDrawing(task);
    case "browser":
      return (await import("./rows/browser.ts")).measureBrowser(task);
  }
}

function taskIn(text: string | undefined): Task {
  const value: unknown = JSON.parse(text ?? "null");
  if (!isRecord(value)) throw new Error("usage: measure.js TASK, where TASK is JSON");
  const { work, engine, size, mode, quick } = value;
  const found = workNames.find((name) => name === work);
  if (found === undefined || typeof engine !== "string" || !isEngineName(engine) || typeof size !== "number")
    throw new Error(`not a task: ${text}`);
  return { work: found, engine, size, quick: quick === true, ...(typeof mode === "string" ? { mode } : {}) };
}

async function outcome(): Promise<Outcome> {
  const load = (): number => loadavg()[0] ?? 0;
  try {
    const figures = await measure(taskIn(process.argv[2]));
    return { ok: true, figures, load: load() };
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { ok: false, error: message.slice(0, 300), load: load() };
  }
}

process.stdout.write(`${JSON.stringify(await outcome())}\n`, () => process.exit(0));
