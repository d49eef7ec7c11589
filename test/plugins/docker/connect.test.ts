import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualTimeScheduler } from "rxjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClock } from "../../../src/engine/clock.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { connectEngine, type Engine } from "../../../src/plugins/docker/index.ts";

const dir = mkdtempSync(join(tmpdir(), "millrace-engine-"));
const signal = new AbortController().signal;
let answer: number | "none" = 200;
let server: Server;
beforeAll(async () => {
  server = createServer((_, response) => {
    if (answer === "none") return;
    response.writeHead(answer, { "content-type": "application/json" }).end('{"message":"says no"}');
  });
  server.listen(join(dir, "engine.sock"));
  await once(server, "listening");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true });
});

function engine(path: string, clock = createClock()): Engine {
  const connected = connectEngine(`unix://${path}`, clock);
  if (!connected.ok) throw new Error(connected.error.message);
  return connected.value;
}

describe("connectEngine", () => {
  test.each(["tcp://127.0.0.1:2375", "unix://relative", "unix://", "/var/run/docker.sock", ""])(
    "refuses %j",
    (endpoint) => {
      expect(connectEngine(endpoint, createClock())).toMatchObject({ ok: false, error: { code: "ENGINE_ENDPOINT" } });
    },
  );

  test("takes nothing from the environment", async () => {
    const names = { DOCKER_HOST: "tcp://192.0.2.1:2376", DOCKER_TLS_VERIFY: "1", DOCKER_CLIENT_TIMEOUT: "1" };
    Object.assign(process.env, names);
    try {
      answer = 200;
      expect(await engine(join(dir, "engine.sock")).ping(signal)).toEqual({ ok: true, value: undefined });
    } finally {
      for (const name of Object.keys(names)) Reflect.deleteProperty(process.env, name);
    }
  });
});

describe("ping", () => {
  test("an engine that is away, refuses, or accepts and never answers", async () => {
    const unreachable = { ok: false, error: { code: "ENGINE_UNREACHABLE", class: "transient" } };
    expect(await engine(join(dir, "none.sock")).ping(signal)).toMatchObject(unreachable);
    answer = 503;
    expect(await engine(join(dir, "engine.sock")).ping(signal)).toMatchObject({ error: { code: "ENGINE_FAULT" } });
    answer = "none";
    const scheduler = new VirtualTimeScheduler();
    const silent = engine(join(dir, "engine.sock"), createClock(scheduler)).ping(signal);
    scheduler.flush();
    expect(await silent).toMatchObject(unreachable);
    const cancelled = AbortSignal.abort("enough");
    expect(await engine(join(dir, "engine.sock")).ping(cancelled)).toMatchObject({ error: { code: "CANCELLED" } });
  });
});

describe("failureOf", () => {
  const coded = (message: string, more: object) => Object.assign(new Error(message), more);
  test.each([
    ["ENGINE_UNREACHABLE", coded("connect ECONNREFUSED /x", { code: "ECONNREFUSED" })],
    ["ENGINE_UNREACHABLE", coded("write EPIPE", { code: "EPIPE" })],
    ["ENGINE_UNREACHABLE", new Error("socket hang up")],
    ["ENGINE_REFUSED", coded("connect EACCES /x", { code: "EACCES" })],
    ["ENGINE_REFUSED", coded("(HTTP code 404) no such image - No such image: x", { statusCode: 404 })],
    ["ENGINE_FAULT", coded("(HTTP code 500) server error - boom", { statusCode: 500 })],
    ["NO_SPACE", coded("(HTTP code 500) server error - write /x: no space left on device", { statusCode: 500 })],
    ["ENGINE_REFUSED", "text"],
  ])("%s", (code, error) => {
    expect(engine("/x").failureOf(error, "trying")).toMatchObject({ code });
  });

  test("says what was done, where, and no secret", () => {
    const secret = new Secret("hunter2-hunter2");
    const error = coded(`(HTTP code 500) server error - ${secret.reveal()} is wrong `, { statusCode: 500 });
    const { message } = engine("/x").failureOf(error, "trying");
    expect(message).toBe("while trying (engine unix:///x): HTTP 500: ‹secret› is wrong");
  });
});
