import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

export interface Recorded {
  readonly method: string;
  /** As it was sent, with its query. */
  readonly path: string;
}

export interface Answered extends Recorded {
  /** What was sent. */
  readonly body: string;
  readonly status: number;
}

/** One request that is stopped on its way. */
export interface Held {
  /** Resolves when it is here: whole, or, for an answer, when the far side has acted. */
  readonly arrived: Promise<void>;
  /**
   * Lets it go on. It goes on too when whoever sent it is gone: a request cannot be taken back. `break`: the connection
   * breaks instead; a number: this status is answered instead.
   */
  release(how?: "break" | number): void;
}

/** Stands before an engine or a registry, writes down what is asked of it, and can hold a request up. */
export interface RecordingProxy {
  /** `unix:///…` for an engine, `127.0.0.1:PORT` for a registry. */
  readonly address: string;
  readonly requests: readonly Recorded[];
  /** What is neither GET nor HEAD. */
  writes(): readonly Recorded[];
  /** How many of these the far side has answered, whether or not anybody waited for it. */
  answered(match: (asked: Recorded) => boolean): number;
  /** Holds the next request that matches: before the far side gets it, or before its answer comes back. */
  hold(where: "request" | "answer", match: (asked: Recorded) => boolean): Held;
  /** From now on tells of each request that matches, when the far side has answered it. */
  tell(match: (asked: Recorded) => boolean, listener: (answered: Answered) => void): void;
  dispose(): Promise<void>;
}

/** @param endpoint `unix:///path` of an engine. */
export function recordEngine(endpoint: string): Promise<RecordingProxy> {
  const dir = mkdtempSync(join(tmpdir(), "millrace-recorded-"));
  const path = join(dir, "engine.sock");
  return startProxy({ socketPath: endpoint.slice("unix://".length) }, path, () =>
    rmSync(dir, { recursive: true, force: true }),
  );
}

/** @param host `127.0.0.1:PORT` of a registry. */
export function recordRegistry(host: string): Promise<RecordingProxy> {
  const [hostname = "", port = ""] = host.split(":");
  return startProxy({ host: hostname, port: Number(port) }, undefined, () => {});
}

interface Listener {
  readonly match: (asked: Recorded) => boolean;
  readonly listener: (answered: Answered) => void;
}

type Far = { readonly socketPath: string } | { readonly host: string; readonly port: number };

interface Hold {
  readonly where: "request" | "answer";
  readonly match: (asked: Recorded) => boolean;
  readonly arrive: () => void;
  readonly released: Promise<"break" | number | undefined>;
}

async function startProxy(far: Far, path: string | undefined, cleanUp: () => void): Promise<RecordingProxy> {
  const requests: Recorded[] = [];
  const answered: Recorded[] = [];
  const holds: Hold[] = [];
  const listeners: Listener[] = [];
  const open = new Set<Socket>();
  const server = createServer((asked, answer) => {
    const recorded: Recorded = { method: asked.method ?? "", path: asked.url ?? "" };
    requests.push(recorded);
    const index = holds.findIndex(({ match }) => match(recorded));
    const [held] = index === -1 ? [] : holds.splice(index, 1);
    const told = listeners.filter(({ match }) => match(recorded));
    const done = (body: Buffer | undefined, status = 0): void => {
      answered.push(recorded);
      for (const { listener } of told) listener({ ...recorded, body: body?.toString() ?? "", status });
    };
    pass(far, asked, answer, { held, kept: held !== undefined || told.length > 0, done }).catch(() => answer.destroy());
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  server.requestTimeout = 0; // a build may take its time
  if (path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await once(server, "listening");
  const bound = server.address();
  return {
    address: typeof bound === "object" && bound !== null ? `127.0.0.1:${bound.port}` : `unix://${path ?? ""}`,
    requests,
    writes: () => requests.filter(({ method }) => method !== "GET" && method !== "HEAD"),
    answered: (match) => answered.filter(match).length,
    tell: (match, listener) => void listeners.push({ match, listener }),
    hold: (where, match) => {
      const arrived = gate();
      let release: (how?: "break" | number) => void = () => {};
      const released = new Promise<"break" | number | undefined>((resolve) => {
        release = resolve;
      });
      holds.push({ where, match, arrive: arrived.open, released });
      return { arrived: arrived.passed, release };
    },
    dispose: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
      cleanUp();
    },
  };
}

interface Passing {
  readonly held: Hold | undefined;
  /** Whether the request is read whole before it goes on. */
  readonly kept: boolean;
  readonly done: (body: Buffer | undefined, status: number | undefined) => void;
}

async function pass(far: Far, asked: IncomingMessage, answer: ServerResponse, passing: Passing): Promise<void> {
  const { method, url, headers } = asked;
  const { held, done } = passing;
  const body = passing.kept ? await whole(asked) : undefined;
  if (held?.where === "request" && !(await goesOn(held, answer))) return;
  const onward = request({ ...far, method, path: url, headers });
  // What nobody waits for any more is given up, as a lost connection would be; what is kept whole goes on by itself.
  if (!passing.kept) answer.on("close", () => onward.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    onward.on("response", resolve);
    onward.on("error", reject);
  });
  if (body === undefined) asked.pipe(onward);
  else onward.end(body);
  const got = await answered;
  done(body, got.statusCode);
  if (held?.where === "answer" && !(await goesOn(held, answer))) return void got.resume();
  answer.writeHead(got.statusCode ?? 502, got.headers);
  await pipeline(got, answer); // an answer that is cut off is passed on as such
}

/** Waits until it is released; false when something else was answered by then. */
async function goesOn(held: Hold, answer: ServerResponse): Promise<boolean> {
  held.arrive();
  const how = await held.released;
  if (how === "break") answer.destroy();
  else if (how !== undefined) answer.writeHead(how).end();
  return how === undefined;
}

function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

async function whole(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
