// What others have not been told yet, as people and Prometheus see it.
import type { FastifyInstance } from "fastify";
import { afterEach, expect, test } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import type { ForgeView, UnsentView } from "../../src/engine/forge-view.ts";
import { busyDay } from "../support/scene.ts";
import { injectable } from "../support/web.ts";

let app: FastifyInstance | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const MINUTE = 60_000;

async function shown(unsent: UnsentView | undefined, forge: Pick<ForgeView, "name"> = { name: "GitHub" }) {
  const view = busyDay(1_763_719_000_000);
  view.atForge = { ...forge, rates: [], ...(unsent === undefined ? {} : { unsent }) };
  const made = (await injectable(view, createClock())).app;
  app = made;
  const [home, metrics] = await Promise.all(["/", "/metrics"].map((url) => made.inject({ url })));
  await made.close();
  return {
    section: /<section[^>]*data-live="forge">([^]*?)<\/section>/.exec(home?.body ?? "")?.[1] ?? "",
    metrics: (metrics?.body ?? "").split("\n").filter((line) => line.startsWith("millrace_outbox")),
  };
}

test("nothing is said while nothing waits, nor of what is on its way", async () => {
  const [none, flying] = [await shown(undefined), await shown({ count: 2, waitsMs: 3_000 })];
  expect(none.section + flying.section).not.toContain("Outbox");
  expect(none.metrics).toEqual(["millrace_outbox_unsent 0", "millrace_outbox_oldest_unsent_seconds 0"]);
  expect(flying.metrics).toEqual(["millrace_outbox_unsent 2", "millrace_outbox_oldest_unsent_seconds 3"]);
});

test("how many wait, since when, and for what", async () => {
  const { section } = await shown({ count: 3, waitsMs: 12 * MINUTE, why: "HTTP 502 <b>" });
  expect(section).toContain(">GitHub</h2>");
  expect(section).toContain("<b>Outbox</b>: 3 messages wait to be sent, the oldest since 12 m 00: HTTP 502 &lt;b&gt;");
  const one = await shown({ count: 1, waitsMs: 5 * MINUTE });
  expect(one.section).toContain("1 message waits to be sent, since 5 m 00<");
});

test("where there is no GitHub, nobody speaks of it", async () => {
  const { section } = await shown({ count: 1, waitsMs: 5 * MINUTE, why: "no_such_channel" }, {});
  expect(section).toContain("no_such_channel");
  expect(section).not.toContain("GitHub");
});
