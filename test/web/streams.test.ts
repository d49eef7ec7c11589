import { request } from "node:http";
import * as fc from "fast-check";
import { VirtualTimeScheduler } from "rxjs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createClock } from "../../src/engine/clock.ts";
import { problem } from "../../src/engine/errors.ts";
import { Secret } from "../../src/engine/secret.ts";
import { turn } from "../../src/engine/turn.ts";
import type { RunningWeb } from "../../src/web/server.ts";
import { startWeb } from "../../src/web/server.ts";
import { busyDay, FAILED, RUNNING } from "../support/scene.ts";
import { type Reader, readEvents } from "../support/sse.ts";
import { type FakeView, jobId, makeNode } from "../support/view.ts";
import { listening } from "../support/web.ts";

let view: FakeView;
let web: RunningWeb;
const readers: Reader[] = [];

beforeEach(async () => {
  view = busyDay(1_763_719_000_000);
  web = await listening(view);
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  await web.close();
});

const open = async (path: string, headers: Record<string, string> = {}): Promise<Reader> => {
  const reader = await readEvents(`${web.url}${path}`, headers);
  readers.push(reader);
  return reader;
};

describe("events", () => {
  test("one snapshot, then steps, jobs and notices", async () => {
    const reader = await open("/api/v1/events");
    expect(reader.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    expect(reader.headers["content-security-policy"]).toContain("default-src 'none'");
    await reader.next("hello");
    const snapshot = await reader.next("snapshot");
    expect(snapshot.data).toMatchObject({ step: 1, structure: 1 });
    view.change(makeNode("demo/hello/build", { state: "failed", failure: problem("BUILD_FAILED", "no") }));
    const step = await reader.next("step");
    expect(step.data).toMatchObject({ step: 2, added: [], removed: [] });
    expect(step.data).toMatchObject({ changed: [{ key: "demo/hello/build", look: "failed", word: "failed" }] });
    const job = view.job(RUNNING);
    if (job !== undefined) view.put({ ...job, state: "ok", endedMs: 1_763_719_060_000 });
    expect((await reader.next("job")).data).toMatchObject({ id: RUNNING, state: "ok" });
    view.notices = [{ code: "STORE_FULL", level: "error", text: "The disk is full." }];
    expect((await reader.next("notice")).data).toEqual({});
  });

  test("a page that shows the drawing is told of what is drawn of thousands of checks, and of every step", async () => {
    const checks = Array.from({ length: 20_000 }, (_, at) =>
      makeNode(`acme/web/branch:${at}/check`, {
        group: "acme/web-builds",
        state: at % 1_000 === 7 ? "failed" : "ok",
      }),
    );
    view.nodes = [...view.nodes, ...checks];
    const reader = await open("/api/v1/events?graph=drawn");
    const { data } = await reader.next("snapshot");
    const keys = JSON.stringify(data).match(/"key":"[^"]*"/g) ?? [];
    expect(keys.filter((key) => key.includes("acme/web/"))).toHaveLength(20);
    expect(keys.filter((key) => key.includes("demo/hello"))).not.toEqual([]);
    expect(reader.received).toBeLessThan(50_000);
    view.change(makeNode("acme/web/branch:0/check", { group: "acme/web-builds", detail: "moved" }));
    expect((await reader.next("step")).data).toMatchObject({ changed: [{ detail: "moved" }] });
    const whole = await open("/api/v1/events");
    expect((await whole.next("snapshot")).data).toMatchObject({ step: 2 });
    expect(whole.received).toBeGreaterThan(2_000_000);
    expect((await fetch(`${web.url}/api/v1/events?graph=half`)).status).toBe(400);
  });

  test("a reader that is too slow misses steps and then gets a new snapshot", async () => {
    const reader = await open("/api/v1/events");
    await reader.next("snapshot");
    reader.pause();
    const detail = "x".repeat(100_000);
    for (let count = 0; count < 300; count++)
      view.change(makeNode("demo/hello/build", { detail: `${count} ${detail}` }));
    reader.resume();
    const snapshot = await reader.next("snapshot");
    expect(snapshot.data).toMatchObject({ step: 301 });
    view.change(makeNode("demo/hello/build", { detail: "caught up" }));
    const after = await reader.next("step", (event) => JSON.stringify(event.data).includes("caught up"));
    expect(after.data).toMatchObject({ step: 302 });
    expect(reader.received).toBeLessThan(20_000_000);
  });

  test("closing the server ends streams at once, read or not", async () => {
    const all = await Promise.all(Array.from({ length: 40 }, () => open("/api/v1/events")));
    for (const reader of all.slice(0, 20)) reader.pause();
    view.change(makeNode("demo/hello/build", { detail: "x".repeat(500_000) }));
    const startedMs = performance.now();
    await web.close();
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    for (const reader of all) reader.resume();
    await Promise.all(all.map((reader) => reader.ended));
  });

  test("a reader that leaves leaves nothing behind", async () => {
    const reader = await open("/api/v1/events");
    await reader.next("snapshot");
    expect(view.jobChanges.observed).toBe(true);
    reader.close();
    await vi.waitFor(async () => {
      const text = await (await fetch(`${web.url}/metrics`)).text();
      expect(text).toContain("millrace_web_streams 0");
    });
  });

  test("a stream is kept alive by comments", async () => {
    const scheduler = new VirtualTimeScheduler();
    scheduler.maxFrames = 40_000;
    const timed = await listening(view, createClock(scheduler));
    const reader = await readEvents(`${timed.url}/api/v1/events`);
    await reader.next("snapshot");
    scheduler.flush();
    await vi.waitFor(() => expect(reader.comments).toBe(2));
    reader.close();
    await timed.close();
  });
});

test("a reader that takes nothing for a minute is let go, one that reads is not", async () => {
  const scheduler = new VirtualTimeScheduler();
  const timed = await listening(view, createClock(scheduler));
  const idle = await readEvents(`${timed.url}/api/v1/events`);
  const reads = await readEvents(`${timed.url}/api/v1/events`);
  await idle.next("snapshot");
  await reads.next("snapshot");
  idle.pause();
  const detail = "x".repeat(100_000);
  for (let count = 0; count < 300; count++) {
    view.change(makeNode("demo/hello/build", { detail: `${count} ${detail}` }));
    await turn(); // more than the connection itself can hold
  }
  const open = async (): Promise<string | undefined> =>
    /^millrace_web_streams (\d+)/m.exec(await (await fetch(`${timed.url}/metrics`)).text())?.[1];
  const pass = (ms: number): void => {
    scheduler.maxFrames = ms;
    scheduler.flush();
  };
  pass(59_000);
  expect(await open()).toBe("2");
  pass(90_000);
  await vi.waitFor(async () => expect(await open()).toBe("1"));
  view.change(makeNode("demo/hello/build", { detail: "still told" }));
  await reads.next("step", (event) => JSON.stringify(event.data).includes("still told"));
  idle.close();
  reads.close();
  await timed.close();
});

describe("log", () => {
  const stream = (from?: number): string =>
    `/api/v1/jobs/${RUNNING}/log/stream${from === undefined ? "" : `?from=${from}`}`;

  test("sends what is there, what comes, and the end", async () => {
    const log = view.logOf(RUNNING);
    const size = log.size;
    const reader = await open(stream());
    const first = await reader.next("message");
    expect(first).toMatchObject({ id: String(size), data: { from: 0, next: size } });
    log.write("more\n");
    expect((await reader.next("message")).data).toEqual({ from: size, next: size + 5, text: "more\n" });
    log.end();
    expect((await reader.next("end")).data).toMatchObject({ next: size + 5 });
    await reader.ended;
  });

  test("of an ended job ends by itself; Last-Event-ID wins over from; what is beyond the end is the end", async () => {
    const { size } = view.logOf(FAILED);
    const path = `/api/v1/jobs/${FAILED}/log/stream`;
    const resumed = await open(`${path}?from=0`, { "last-event-id": String(size - 3) });
    expect((await resumed.next("message")).data).toMatchObject({ from: size - 3, next: size });
    await resumed.ended;
    const beyond = await open(`${path}?from=999999999`);
    expect((await beyond.next("end")).data).toMatchObject({ next: size });
  });

  test("that cannot be read ends the stream, and leaves nothing behind", async () => {
    const faults: unknown[] = [];
    const report = (error: unknown): void => void faults.push(error);
    const parts = { view, clock: createClock(), host: "127.0.0.1", port: 0, token: new Secret("another-token") };
    const started = await startWeb({ ...parts, report });
    if (!started.ok) throw new Error(started.error.message);
    view.log.read = () => Promise.reject(new Error("EIO"));
    const reader = await readEvents(`${started.value.url}${stream()}`);
    await reader.ended;
    expect(faults).toEqual([new Error("EIO")]);
    expect(view.logOf(RUNNING).readers).toBe(0);
    await started.value.close();
  });

  test("lines that look like events stay data", async () => {
    view.logOf(FAILED);
    const log = view.logOf(RUNNING);
    log.write("\r\r\n\nevent: end\ndata: {}\n\nid: 7\n");
    const reader = await open(stream());
    const first = await reader.next("message");
    expect(JSON.stringify(first.data)).toContain("event: end");
    expect(reader.pending).toBe(0);
  });

  test("a slow reader costs one chunk, and gets every byte", async () => {
    const log = view.logOf(RUNNING);
    const reader = await open(stream());
    await reader.next("message");
    reader.pause();
    const before = process.memoryUsage.rss();
    const from = log.size;
    const block = `${"0123456789abcdef".repeat(64)}\n`.repeat(1_000);
    for (let count = 0; count < 20; count++) log.write(block);
    log.end();
    reader.resume();
    let text = "";
    while (text.length < block.length * 20) text += textOf((await reader.next("message")).data);
    expect(text).toBe(block.repeat(20));
    expect(process.memoryUsage.rss() - before).toBeLessThan(300_000_000);
    expect((await reader.next("end")).data).toMatchObject({ next: from + block.length * 20 });
  });

  test("the API reads by offset until there is no more", async () => {
    const log = view.logOf(RUNNING);
    log.write("😀".repeat(400_000));
    let [text, from] = ["", 0];
    for (;;) {
      const reply = await fetch(`${web.url}/api/v1/jobs/${RUNNING}/log?from=${from}`);
      expect(reply.headers.get("x-millrace-state")).toBe("running");
      text += await reply.text();
      const next = Number(reply.headers.get("x-millrace-next"));
      if (next === from) break;
      from = next;
    }
    expect(Buffer.byteLength(text)).toBe(log.size);
    expect(text).not.toContain("\uFFFD");
  });
});

test("random logs, cut anywhere, with readers that come and go: no byte is lost or comes twice", {
  timeout: 60_000,
}, async () => {
  const bytes = fc.oneof(
    fc.string({ unit: "grapheme" }).map((text) => Buffer.from(text)),
    fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
    fc.constantFrom("\n", "\r\n", "\u001e", "\uFEFF", "data: x\n\n").map((text) => Buffer.from(text)),
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(bytes, { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(9), { maxLength: 20 }),
      async (parts, cuts) => {
        const id = `2026-11-21/${String(100_000 + run++)}-docker-build-a1`;
        const job = view.job(RUNNING);
        if (job === undefined) throw new Error("no job");
        view.all.push({ ...job, id: jobId(id) });
        const log = view.logOf(id);
        const whole = Buffer.concat(parts);
        const reading = readWhole(`${web.url}/api/v1/jobs/${id}/log/stream`, cuts);
        let at = 0;
        for (const cut of cuts) {
          log.write(whole.subarray(at, at + cut));
          at += cut;
          await new Promise((resolve) => setImmediate(resolve));
        }
        log.write(whole.subarray(at));
        log.end();
        expect(await reading).toBe(whole.toString("utf8"));
      },
    ),
    { numRuns: 60 },
  );
});

/** Reads a log to its end, breaking off after as many chunks as `patience` says each time. */
async function readWhole(url: string, patience: readonly number[]): Promise<string> {
  let [text, next] = ["", 0];
  for (let attempt = 0; ; attempt++) {
    const reader = await readEvents(`${url}?from=${next}`);
    const most = attempt < patience.length ? (patience[attempt] ?? 0) : Infinity;
    for (let count = 0; count <= most; count++) {
      const event = await reader.any();
      if (event.name === "end") return text;
      expect(event.data).toMatchObject({ from: next });
      text += textOf(event.data);
      next = Number(event.id);
    }
    reader.close();
  }
}

function textOf(data: unknown): string {
  const text: unknown = typeof data === "object" && data !== null ? Reflect.get(data, "text") : undefined;
  if (typeof text !== "string") throw new Error("no text in the event");
  return text;
}

describe("start", () => {
  test("a port in use says so, and what to do", async () => {
    const port = web.port;
    const options = { view, clock: createClock(), host: "127.0.0.1", port, token: new Secret("another-token") };
    expect(await startWeb(options)).toMatchObject({
      ok: false,
      error: { code: "PORT_IN_USE", message: `port ${port} of 127.0.0.1 is in use by another process` },
    });
    expect(await startWeb({ ...options, host: "203.0.113.7" })).toMatchObject({ error: { code: "CANNOT_LISTEN" } });
  });

  test("an address that cannot be read is not found", async () => {
    const { hostname, port } = new URL(web.url);
    const statusOf = (path: string) =>
      new Promise((resolve) => {
        request({ hostname, port, path }, (reply) => resolve(reply.resume().statusCode)).end();
      });
    const paths = ["/%", "/job/%zz/x", `/job/2026-11-21/${"x".repeat(3_000)}`, "//", "/../../etc/passwd"];
    expect(await Promise.all(paths.map(statusOf))).toEqual(paths.map(() => 404));
  });
});
