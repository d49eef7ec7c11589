import { setImmediate } from "node:timers/promises";
import type { Builder } from "../../src/engine/cache/builder.ts";
import { cached } from "../../src/engine/cache/cache.ts";
import { createClock } from "../../src/engine/clock.ts";
import { Engine } from "../../src/engine/engine.ts";
import { memoryStore } from "../../src/engine/store/open.ts";
import { map, pair } from "../../src/term/combinators.ts";
import { success } from "../../src/term/output.ts";
import type { Term } from "../../src/term/term.ts";
import { MemoryLogs } from "../../src/testing/memory-logs.ts";
import { boxOf, Source } from "../engines/terms.ts";
import { Arithmetic, numbersBelow } from "../graph/arithmetic.ts";
import type { Figures, Task } from "../task.ts";

const CHANGES = 3;
const TURNS_MAX = 5;

/** A ladder whose sides are jobs, each done after a number of turns of its own: no side waits for the other. */
export async function measureAsyncLadder(task: Task): Promise<Figures> {
  const clock = createClock();
  const engine = new Engine({ clock, store: memoryStore({ clock }), logs: new MemoryLogs(clock) });
  const arithmetic = new Arithmetic();
  const source = new Source(engine.world, boxOf(0, "head"), 1);
  const sink = ladderOf(engine, source.term, task.size, arithmetic);
  let runs = 0;
  sink.node.watch(() => {
    if (sink.output.state === "ok") runs += 1;
  });
  const change = (value: number): Promise<void> =>
    new Promise((resolve) => {
      const stop = sink.node.watch(() => {
        if (sink.output.state !== "ok") return;
        stop();
        resolve();
      });
      engine.change(undefined, () => source.set(value));
    });
  await change(1);
  const before = runs;
  for (let round = 0; round < CHANGES; round++) await change(round + 2);
  await setImmediate(); // whatever came too late would be seen now
  return { told: (runs - before) / CHANGES, mixed: arithmetic.mixed };
}

function ladderOf(engine: Engine, source: Term<number>, diamonds: number, arithmetic: Arithmetic): Term<number> {
  const turns = numbersBelow(TURNS_MAX);
  const side = (rule: "left" | "right"): Builder<undefined, number, number> => sideOf(rule, arithmetic, turns);
  const [left, right] = [side("left"), side("right")];
  const join = arithmetic.two("diamond");
  let below = source;
  for (let diamond = 0; diamond < diamonds; diamond++) {
    const a = cached(engine, boxOf(diamond, "left"), left, undefined, below);
    const b = cached(engine, boxOf(diamond, "right"), right, undefined, below);
    below = map(pair(a, b), ([first, second]) => join(first, second, 0), { box: boxOf(diamond, "join") });
  }
  return below;
}

function sideOf(
  rule: "left" | "right",
  arithmetic: Arithmetic,
  turns: () => number,
): Builder<undefined, number, number> {
  const compute = arithmetic.one(rule);
  return {
    id: `side-${rule}`,
    version: 1,
    level: "harmless",
    autoCancel: false,
    value: { encode: (value) => value, decode: (json) => (typeof json === "number" ? json : undefined) },
    key: (value) => value,
    describe: (value) => `${rule} of ${value}`,
    inputs: (value) => ({ value: String(value) }),
    build: async (_context, value, job) => {
      const started = await job.start({ level: "harmless" });
      if (!started.ok) return started;
      for (let left = turns(); left > 0; left--) await setImmediate();
      return success(compute(value, 0));
    },
  };
}
