import { connect, type Socket } from "node:net";
import fastify from "fastify";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { DeliveryHeaders, Door } from "../../src/engine/inbound.ts";
import { type Room, serveWebhooks } from "../../src/web/webhooks.ts";

const LIMIT = 1_000_000;
const json = { "content-type": "application/json", "x-signed": "yes" };
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A server with one door that refuses what is not signed at all, and notes what it is given. */
async function opened(room?: Room) {
  const bodies: Buffer[] = [];
  const door: Door = {
    forge: "test",
    bytesMax: LIMIT,
    refuses: (headers: DeliveryHeaders) =>
      headers["x-signed"] === undefined ? { status: 401, note: "not signed" } : undefined,
    receive: async (_headers, body) => {
      bodies.push(body);
      return { status: 202, note: "taken" };
    },
  };
  const app = fastify({
    bodyLimit: 1_000,
    requestTimeout: 2_000,
    forceCloseConnections: true,
    http: { headersTimeout: 1_000, connectionsCheckingInterval: 100 },
  });
  serveWebhooks(app, [door], room);
  await app.listen({ host: "127.0.0.1", port: 0 });
  ends.push(() => app.close());
  const [address] = app.addresses();
  const port = typeof address === "object" ? address.port : 0;
  const send = async (body: Buffer): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/webhooks/test`, { method: "POST", headers: json, body })).status;
  return { bodies, send, port };
}

describe("a delivery", () => {
  it("reaches its door byte for byte, also when it is longer than any form of ours", async () => {
    const { bodies, send } = await opened();
    const body = Buffer.from(`{ "a" :\n"é${"x".repeat(500_000)}" }`);
    expect(await send(body)).toBe(202);
    expect(bodies.map((one) => one.equals(body))).toEqual([true]);
  });

  it.each([
    ["nothing is signed", {}, 401],
    ["it is compressed", { ...json, "content-encoding": "gzip" }, 415],
    ["it is a form", { ...json, "content-type": "application/x-www-form-urlencoded" }, 415],
    ["it says that it is too long", { ...json, "content-length": String(LIMIT + 1) }, 413],
  ])("is refused unread when %s", async (_when, headers, status) => {
    const { bodies, port } = await opened();
    // Not a byte of the body is sent: whoever waits for one never answers.
    const lines = Object.entries({ host: "x", "content-length": "10", ...headers }).map(
      ([name, text]) => `${name}: ${text}`,
    );
    const answer = await spoken(port, `POST /webhooks/test HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(bodies).toEqual([]);
  });

  it("of unknown length is cut off at the limit, and its connection with it", async () => {
    const { bodies, port } = await opened();
    const head = "POST /webhooks/test HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-signed: yes\r\n";
    const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${"x".repeat(bytes)}\r\n`;
    // One byte too many and no more: a system that has unread bytes when it hangs up may take the answer back.
    const body = `${chunk(LIMIT / 2)}${chunk(LIMIT / 2)}${chunk(1)}`;
    const answer = await spoken(port, `${head}transfer-encoding: chunked\r\n\r\n${body}`);
    expect(answer).toContain("HTTP/1.1 413 ");
    expect(bodies).toEqual([]);
  });

  it("has room beside others, for a while: the usual ones longer than large ones", async () => {
    const { send, port } = await opened({ large: 350_000, all: 500_000 });
    const held = [await halfSent(port, 200_000)];
    await vi.waitFor(async () => expect(await send(Buffer.alloc(300_000))).toBe(503));
    expect(await send(Buffer.alloc(200_000))).toBe(202);
    held.push(await halfSent(port, 200_000));
    await vi.waitFor(async () => expect(await send(Buffer.alloc(200_000))).toBe(503));
    expect(await send(Buffer.alloc(50_000))).toBe(202);
    for (const socket of held) socket.destroy();
    await vi.waitFor(async () => expect(await send(Buffer.alloc(300_000))).toBe(202));
  });

  it("that comes a byte now and then ends with its time", async () => {
    const { bodies, port } = await opened();
    const head = "POST /webhooks/test HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-signed: yes\r\n";
    const answer = await spoken(port, `${head}content-length: 100\r\n\r\n{`);
    expect(answer).toMatch(/^HTTP\/1.1 (408|400) |^$/);
    expect(bodies).toEqual([]);
  });

  it("cannot be asked for", async () => {
    const { port } = await opened();
    expect((await fetch(`http://127.0.0.1:${port}/webhooks/test`)).status).toBe(404);
  });
});

/** A connection whose delivery has sent so many bytes and not its last one. */
async function halfSent(port: number, bytes: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  const head = "POST /webhooks/test HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-signed: yes\r\n";
  await new Promise<void>((resolve) => {
    socket.write(`${head}content-length: ${bytes + 1}\r\n\r\n${"x".repeat(bytes)}`, () => resolve());
  });
  return socket;
}

/** What a server says to these bytes until it closes the connection. */
async function spoken(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}); // it may hang up in the middle: that is the answer
  socket.write(bytes);
  let answer = "";
  try {
    for await (const part of socket) answer += String(part);
  } catch {
    // as above
  }
  return answer;
}
