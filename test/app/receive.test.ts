// The command against the real HTTP server with the real door; the inbox is on a store in memory.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import type { Hint } from "../../src/engine/inbound.ts";
import { Inbox } from "../../src/engine/inbox.ts";
import { Secret } from "../../src/engine/secret.ts";
import { githubDoor } from "../../src/plugins/github/index.ts";
import { createRig } from "../../src/testing/index.ts";
import { type RunningWeb, startWeb } from "../../src/web/server.ts";
import { millrace } from "../support/cli.ts";
import { folderWith } from "../support/pipeline-file.ts";
import { FakeView } from "../support/view.ts";

const KEY = "the webhook's secret";
const BODY = JSON.stringify({ repository: { id: 7, full_name: "acme/web" } });

let web: RunningWeb;
let folder: string;
let told: Hint[];

beforeEach(async () => {
  const inbox = new Inbox(createRig().engine);
  told = [];
  inbox.changes.subscribe((hint) => told.push(hint));
  const door = githubDoor({ secret: new Secret(KEY), inbox, clock: createClock() });
  const parts = { view: new FakeView(), host: "127.0.0.1", port: 0, token: new Secret("x".repeat(40)) };
  const started = await startWeb({ ...parts, clock: createClock(), doors: [door] });
  if (!started.ok) throw new Error(started.error.message);
  web = started.value;
  folder = folderWith({
    "var/server.json": JSON.stringify({ url: web.url, pid: 1 }),
    "body.json": BODY,
    "stored.txt": `Request method: POST\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: d-1\r\n\r\n${BODY}`,
  });
  writeFileSync(join(folder, "secret"), `${KEY}\n`, { mode: 0o600 });
});
afterEach(() => web.close());

const receive = (...args: readonly string[]) =>
  millrace(folder, "receive", ...args, "--github-webhook-secret-file", "secret");

it("gives the server a body as an event, each time as a new delivery", async () => {
  for (const _ of [1, 2]) {
    const { code, out } = await receive("body.json", "--event", "push");
    expect([code, out]).toEqual([0, expect.stringMatching(/^push [0-9a-f-]{36}: taken\n$/)]);
  }
  expect(told).toEqual([1, 2].map(() => ({ kind: "refs", repository: 7, name: "acme/web" })));
});

it("gives it a stored delivery under its own name: the second time it is known", async () => {
  expect(await receive("stored.txt")).toMatchObject({ code: 0, out: "push d-1: taken\n" });
  expect(await receive("stored.txt")).toMatchObject({ code: 0, out: "push d-1: taken before\n" });
  expect(told).toHaveLength(1);
});

it("says what is amiss", async () => {
  const none = await receive("none.json", "--event", "push");
  expect([none.code, none.err]).toEqual([64, expect.stringContaining("cannot read")]);
  expect((await receive("body.json")).err).toContain("--event");
  expect((await millrace(folder, "receive", "stored.txt")).err).toContain("unsigned");
  writeFileSync(join(folder, "secret"), "another\n");
  const wrong = await receive("stored.txt");
  expect(wrong.err).toContain("signature is missing or wrong\n  Give the file with the secret");
  await web.close();
  const parts = { view: new FakeView(), host: "127.0.0.1", port: 0, token: new Secret("x".repeat(40)) };
  const started = await startWeb({ ...parts, clock: createClock() });
  if (!started.ok) throw new Error(started.error.message);
  web = started.value;
  const closed = await receive("stored.txt", "--url", web.url);
  expect([closed.code, closed.err]).toEqual([1, expect.stringContaining("the server takes no webhooks of GitHub")]);
  expect(told).toEqual([]);
});
