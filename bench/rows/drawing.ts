import { performance } from "node:perf_hooks";
import { createDrawings } from "../../src/web/graph/drawings.ts";
import type { Arrange } from "../../src/web/graph/layout.ts";
import { startLayoutThread } from "../../src/web/graph/thread.ts";
import { median } from "../maths.ts";
import type { Figures, Task } from "../task.ts";
import { type LargeFlavour, largeFlavour } from "./flavour.ts";
import { cpuMs } from "./meter.ts";

const TICK_MS = 1;

/** The picture of a large graph: the first one, after one repository has changed, and after only a state has. */
export async function measureDrawing(task: Task): Promise<Figures> {
  const flavour = await largeFlavour(task.size);
  const studio = studioOf(flavour);
  const cpu = cpuMs();
  const delay = watchLoop();
  const first = await studio.draw();
  const firstDelayMs = delay();
  const firstCpuMs = cpuMs() - cpu;
  const repo = await often(task, studio, (round) => flavour.grow(round % flavour.repos.length), flavour);
  const state = await often(task, studio, (round) => flavour.repos[0]?.set(`commit ${round}`), flavour);
  await studio.close();
  return {
    boxes: flavour.engine.world.terms.size,
    firstMs: first.ms,
    firstCpuMs,
    firstDelayMs,
    repoMs: repo.ms,
    repoLayoutMs: repo.layoutMs,
    repoLayouts: repo.layouts,
    stateMs: state.ms,
    stateLayouts: state.layouts,
  };
}

interface Drawn {
  readonly ms: number;
  readonly layouts: number;
  readonly layoutMs: number;
}

/** Draws as the pages do, and counts what the layout thread is asked. */
function studioOf({ view, clock }: LargeFlavour): { draw(): Promise<Drawn>; close(): Promise<void> } {
  const thread = startLayoutThread(clock);
  let [layouts, layoutMs] = [0, 0];
  const arrange: Arrange = async (outline) => {
    const start = performance.now();
    const places = await thread.arrange(outline);
    if (!places.ok) throw new Error("the layout was given up: boxes would be shown as a list");
    layouts += 1;
    layoutMs += performance.now() - start;
    return places;
  };
  const drawings = createDrawings(view, clock, { arrange, close: () => thread.close() });
  const draw = async (): Promise<Drawn> => {
    [layouts, layoutMs] = [0, 0];
    const start = performance.now();
    const picture = await drawings.whole([]);
    const ms = performance.now() - start;
    if (!Buffer.concat(picture).toString().endsWith("</svg>")) throw new Error("this is no picture");
    return { ms, layouts, layoutMs };
  };
  return { draw, close: () => drawings.close() };
}

async function often(
  task: Task,
  studio: { draw(): Promise<Drawn> },
  change: (round: number) => void,
  flavour: LargeFlavour,
): Promise<Drawn> {
  const drawn: Drawn[] = [];
  for (let round = 0; round < (task.quick ? 5 : 15); round++) {
    change(round);
    await flavour.step();
    drawn.push(await studio.draw());
  }
  const middle = (of: (one: Drawn) => number): number => median(drawn.map(of));
  return {
    ms: middle((one) => one.ms),
    layouts: middle((one) => one.layouts),
    layoutMs: middle((one) => one.layoutMs),
  };
}

/** Returns what tells the longest time for which this thread did nothing else, in milliseconds. */
function watchLoop(): () => number {
  let last = performance.now();
  let longest = 0;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last - TICK_MS);
    last = now;
  };
  const timer = setInterval(look, TICK_MS);
  return () => {
    clearInterval(timer);
    look();
    return longest;
  };
}
