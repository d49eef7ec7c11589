// Past deploys, for people.
import { afterEach, expect, test } from "vitest";
import type { IntentRow } from "../../src/engine/store/store.ts";
import { FakeView, jobId } from "../support/view.ts";
import { injectable } from "../support/web.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const NEW = `shop/web@sha256:${"a1b2".repeat(16)}`;
const TERM = "acme/shop/Dockerfile/branch:live/deploy/here/shop_web";
const deploy: IntentRow = {
  id: "i1",
  lane: "swarm/here/shop_web",
  kind: "swarm",
  term: TERM,
  job: jobId("2026-11-21/090000-swarm-5a5a"),
  generation: 3,
  epoch: 1,
  wanted: {},
  digest: NEW,
  before: "shop/web@sha256:0000",
  seenVersion: "17",
  state: "rolled-back",
  ref: null,
  evidence: "task 1 exited with 1 <b>",
  createdMs: 1_000,
  endedMs: 6_000,
};

async function open(view: FakeView) {
  const { app } = await injectable(view);
  ends.push(() => app.close());
  return async (url: string): Promise<string> => (await app.inject({ url })).body;
}

test("a deploy says what went where, how it ended and what ran before, and leads to its job", async () => {
  const view = new FakeView();
  const service = { kind: "swarm", host: "here", source: "acme/shop live", state: "failed", detail: "" } as const;
  view.targets = [{ ...service, term: TERM, name: "shop_web", place: "shop_web", drift: "report", adoptable: false }];
  view.deploys = [
    deploy,
    { ...deploy, id: "i2", term: "acme/gone/tag", state: "applied", endedMs: null, evidence: null },
  ];
  const body = await (await open(view))("/history");
  expect(body).toMatch(/look-failed[^]*rolled-back[^]*href="\/job\/2026-11-21\/090000-swarm-5a5a">shop_web<\/a>/);
  expect(body).toContain("acme/shop · live");
  expect(body).toContain("task 1 exited with 1 &lt;b&gt;");
  expect(body).toContain(`<code>shop/web@sha256:${"a1b2".repeat(3)}</code>`);
  expect(body).toMatch(/before: <code>shop\/web@sha256:0000<[^]*5 s/);
  expect(body).toMatch(/look-running[^]*applied[^]*>acme\/gone\/tag<\/a>/);
});

test("without any it says what would make one; the overview leads there when there are services", async () => {
  const view = new FakeView();
  const get = await open(view);
  expect(await get("/history")).toContain("Nothing has been deployed yet.");
  expect(await get("/history?term=acme%2F%3Cx%3E")).toContain("Those of <code>acme/&lt;x&gt;</code>");
  const tag = { kind: "tag", host: "registry", source: "acme/shop live", state: "ok", detail: "" } as const;
  view.targets = [{ ...tag, term: TERM, name: "shop:live", place: "shop:live", drift: "report", adoptable: false }];
  expect(await get("/")).toContain('<a href="/history">Past deploys</a>');
});
