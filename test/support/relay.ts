import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A unix socket that leads to another one, and can be cut: an engine that goes away and comes back. */
export interface Relay {
  /** `unix:///…`. */
  readonly endpoint: string;
  /** Breaks every connection, and takes no new one. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** From now on what is sent goes through, and answers are swallowed: the connection breaks instead. */
  swallowAnswers(): void;
  /** How often this text was sent through so far, in the line of a request for instance. */
  sent(text: string): number;
  dispose(): Promise<void>;
}

/** @param endpoint `unix:///path` of the real engine. */
export async function startRelay(endpoint: string): Promise<Relay> {
  const dir = await mkdtemp(join(tmpdir(), "millrace-relay-"));
  const path = join(dir, "relay.sock");
  const open = new Set<Socket>();
  let swallow = false;
  const requests: string[] = [];
  const server = createServer((near) => {
    const far = connect(endpoint.slice("unix://".length));
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (chunk) => {
      // Only the lines of requests are kept: a build's context would be too much.
      const lines = chunk.toString("latin1").split("\r\n", 1);
      if (/^(GET|POST|DELETE|HEAD) .* HTTP/.test(lines[0] ?? "")) requests.push(lines[0] ?? "");
    });
    near.pipe(far);
    far.on("data", (chunk) => (swallow ? near.destroy() : near.write(chunk)));
  });
  const listen = async (): Promise<void> => {
    server.listen(path);
    await once(server, "listening");
  };
  const cut = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  };
  await listen();
  return {
    endpoint: `unix://${path}`,
    cut,
    restore: async () => {
      swallow = false;
      if (!server.listening) await listen();
    },
    swallowAnswers: () => {
      swallow = true;
    },
    sent: (text) => requests.filter((line) => line.includes(text)).length,
    dispose: async () => {
      if (server.listening) await cut();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
