import { setTimeout as pause } from "node:timers/promises";
import type { CDPSession, Page } from "playwright-core";
import { Secret } from "../../src/engine/secret.ts";
import { startWeb } from "../../src/web/server.ts";
import { openBrowser } from "../../test/support/browser.ts";
import type { Figures, Task } from "../task.ts";
import { largeFlavour } from "./flavour.ts";

/** A change is painted, faded, and the counts above the graph are read again before the next one. */
const GAP_MS = 900;
const MS_A_S = 1_000;

/** A repository changes its state on an open page: how long the page's main thread is at work until it is painted. */
export async function measureBrowser(task: Task): Promise<Figures> {
  const { view, clock, engine, repos } = await largeFlavour(task.size);
  const web = await startWeb({ view, clock, host: "127.0.0.1", port: 0, token: new Secret("bench-of-the-browser") });
  if (!web.ok) throw new Error(web.error.message);
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(web.value.url);
    await page.locator("svg.graph .node").first().waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" }); // time at work, not waiting for a core
    const changes = task.quick ? 6 : 20; // even: it ends as it began
    const during = async (change: (round: number) => void): Promise<number> => {
      const before = await busyMs(session);
      for (let round = 1; round <= changes; round++) {
        change(round);
        await pause(GAP_MS);
      }
      return (await busyMs(session)) - before;
    };
    const toggle = (round: number): void =>
      engine.change(undefined, () => (round % 2 === 0 ? repos[0]?.set(`commit ${round}`) : repos[0]?.hold()));
    await during(toggle); // once to warm up
    const drawn = await blockedBoxes(page);
    const idle = await during(() => {});
    const busy = await during(toggle);
    toggle(1);
    await page.locator(".look-blocked").first().waitFor();
    const changedBoxes = (await blockedBoxes(page)) - drawn;
    return { paintMs: (busy - idle) / changes, changedBoxes };
  } finally {
    await browser.close();
    await web.value.close();
  }
}

/** Scripts, styles, layout and painting of the page so far. */
async function busyMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  const found = metrics.find(({ name }) => name === "TaskDuration");
  if (found === undefined) throw new Error("the browser does not tell how long it was at work");
  return found.value * MS_A_S;
}

const blockedBoxes = (page: Page): Promise<number> => page.locator(".node.look-blocked").count();
