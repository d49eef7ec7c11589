import { get, type IncomingHttpHeaders, type IncomingMessage } from "node:http";

export interface SseEvent {
  /** "message" for an event without a name. */
  readonly name: string;
  readonly id: string;
  readonly data: unknown;
}

/** A reader of Server-Sent Events that can stop reading. */
export interface Reader {
  readonly headers: IncomingHttpHeaders;
  /** Resolves with the next event, whatever it is. */
  any(): Promise<SseEvent>;
  /** Skips to the next event of this name (and of this kind). */
  next(name: string, is?: (event: SseEvent) => boolean): Promise<SseEvent>;
  pause(): void;
  resume(): void;
  close(): void;
  readonly ended: Promise<void>;
  readonly comments: number;
  /** Bytes so far. */
  readonly received: number;
  /** Events that nobody has asked for yet. */
  readonly pending: number;
}

export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<Reader> {
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers, agent: false }, resolve).on("error", reject);
  });
  if (reply.statusCode !== 200) throw new Error(`${url} answered ${reply.statusCode}`);
  const queue: SseEvent[] = [];
  const waiting: ((event: SseEvent) => void)[] = [];
  let [buffer, received, comments] = [Buffer.alloc(0), 0, 0];
  reply.on("data", (chunk: Buffer) => {
    received += chunk.length;
    buffer = Buffer.concat([buffer, chunk]);
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const block = buffer.subarray(0, end).toString("utf8");
      buffer = buffer.subarray(end + 2);
      if (block.startsWith(":")) comments += 1;
      const event = parse(block);
      if (event === undefined) continue;
      const taker = waiting.shift();
      if (taker === undefined) queue.push(event);
      else taker(event);
    }
  });
  const ended = new Promise<void>((resolve) => void reply.once("close", resolve));
  reply.on("error", () => {}); // the server may cut the connection: `ended` tells
  const any = (): Promise<SseEvent> => {
    const event = queue.shift();
    return event === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(event);
  };
  return {
    headers: reply.headers,
    any,
    next: async (name, is = () => true) => {
      for (;;) {
        const event = await any();
        if (event.name === name && is(event)) return event;
      }
    },
    pause: () => void reply.pause(),
    resume: () => void reply.resume(),
    close: () => void reply.destroy(),
    ended,
    get comments() {
      return comments;
    },
    get received() {
      return received;
    },
    get pending() {
      return queue.length;
    },
  };
}

function parse(block: string): SseEvent | undefined {
  let [name, id, data] = ["message", "", ""];
  for (const line of block.split(/\r\n|\r|\n/)) {
    const [field = "", ...rest] = line.split(": ");
    const value = rest.join(": ");
    if (field === "event") name = value;
    if (field === "id") id = value;
    if (field === "data") data += value;
  }
  return data === "" ? undefined : { name, id, data: JSON.parse(data) };
}
