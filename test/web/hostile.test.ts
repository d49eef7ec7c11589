// What strangers can do to the server as it listens, however they ask: many at once, slowly, under other names.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import type { Door } from "../../src/engine/inbound.ts";
import type { RunningWeb } from "../../src/web/server.ts";
import { busyDay, FAILED, RUNNING } from "../support/scene.ts";
import { type Reader, readEvents } from "../support/sse.ts";
import type { FakeView } from "../support/view.ts";
import { form, injectable, listening, TOKEN } from "../support/web.ts";

let view: FakeView;
let web: RunningWeb;
const ends: (() => void)[] = [];

const door: Door = {
  forge: "test",
  bytesMax: 1_000_000,
  refuses: () => undefined,
  receive: async () => ({ status: 202, note: "taken" }),
};

beforeAll(async () => {
  view = busyDay(1_763_719_000_000);
  web = await listening(view, createClock(), 0, { doors: [door] });
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(() => web.close());

test("five hundred deliveries that never end hold up neither the probe nor another delivery", {
  timeout: 30_000,
}, async () => {
  const head =
    "POST /webhooks/test HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
  const slow = Array.from({ length: 500 }, (): Socket => {
    const socket = connect(web.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(head);
    ends.push(() => socket.destroy());
    return socket;
  });
  await Promise.all(slow.map((socket) => once(socket, "connect")));
  expect((await fetch(`${web.url}/healthz`)).status).toBe(200);
  const headers = { "content-type": "application/json" };
  const taken = await fetch(`${web.url}/webhooks/test`, { method: "POST", headers, body: "{}" });
  expect(taken.status).toBe(202);
  expect(slow.filter(({ destroyed }) => destroyed)).toEqual([]);
});

describe("a log", () => {
  const log = `/api/v1/jobs/${RUNNING}/log`;

  test("is read by a thousand at once, and by no more; each gets what comes, once", { timeout: 60_000 }, async () => {
    const readers: Reader[] = [];
    const one = async (): Promise<void> => {
      const reader = await readEvents(`${web.url}${log}/stream?from=999999`);
      ends.push(() => reader.close());
      readers.push(reader);
    };
    for (let count = 0; count < 1_000; count += 100) await Promise.all(Array.from({ length: 100 }, one));
    const refused = await fetch(`${web.url}${log}/stream`);
    expect([refused.status, await refused.text()]).toEqual([503, expect.stringContaining("TOO_MANY_STREAMS")]);
    expect((await fetch(`${web.url}/job/${RUNNING}`)).status).toBe(200);
    view.logOf(RUNNING).write("the news\n");
    const heard = await Promise.all(readers.map((reader) => reader.next("message")));
    expect(new Set(heard.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(heard[0]?.data).toMatchObject({ text: "the news\n" });
    expect(readers.filter(({ pending }) => pending > 0)).toEqual([]);
  });

  test("is read from where it is, whatever offset is asked for", async () => {
    const { size } = view.logOf(FAILED);
    const path = `/api/v1/jobs/${FAILED}/log`;
    const asked = async (from: string): Promise<string> => {
      const { status, headers } = await fetch(`${web.url}${path}?from=${from}`);
      return `${status} ${headers.get("x-millrace-next") ?? ""}`.trim();
    };
    for (const beyond of ["1e15", "Infinity", String(size)]) expect(await asked(beyond)).toBe(`200 ${size}`);
    for (const none of ["-1", "NaN", "1.5", "1e18", "9007199254740993", "%00", "1&from=2"])
      expect({ none, is: await asked(none) }).toEqual({ none, is: "400" });
    for (const id of ["-1", "NaN", "1e18", "x", "9".repeat(400)]) {
      const reader = await readEvents(`${web.url}${path}/stream?from=${size}`, { "last-event-id": id });
      expect((await reader.next("end")).data).toMatchObject({ next: size });
      await reader.ended;
    }
  });
});

describe("a request under another host's name", () => {
  const lies = {
    host: "evil.example",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-for": "203.0.113.66",
    "x-forwarded-port": "666",
    "x-original-url": "//evil.example/",
    "x-rewrite-url": "//evil.example/",
    forwarded: "for=203.0.113.66;host=evil.example;proto=https",
  };

  test("is answered with our own addresses only", async () => {
    const { app } = await injectable(view);
    const paths = ["/", "/jobs", "/query", `/job/${RUNNING}`, "/login?to=/jobs", "/nothing-here", "/pipeline.svg"];
    const api = ["services", "graph", "banners", "openapi.json", "nothing"].map((name) => `/api/v1/${name}`);
    for (const url of [...paths, ...api]) {
      const { headers, body } = await app.inject({ url, headers: lies });
      const told = `${JSON.stringify(headers)} ${body}`;
      expect({ url, told: /.{0,80}(?:evil|203\.0\.113).{0,80}/.exec(told)?.[0] }).toEqual({ url, told: undefined });
    }
    const login = await app.inject({ method: "POST", url: "/login", ...form({ token: TOKEN, to: "/jobs" }, lies) });
    expect(login.headers.location).toBe("/jobs");
    expect(login.headers["set-cookie"]).not.toMatch(/evil|Domain/i);
    await app.close();
  });
});
