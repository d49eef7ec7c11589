import type { FastifyReply } from "fastify";
import type { Subscription } from "rxjs";
import type { Clock } from "../engine/clock.ts";

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so many heartbeats has gone. */
const STALL_BEATS = 4;
const STREAMS_MAX = 1_000;

export interface StreamEvent {
  readonly event?: string;
  readonly id?: number;
  /** One line; JSON is. */
  readonly data: string;
}

/** An event as it is sent: made once for all readers who get the same. */
export type Frame = Uint8Array;

export function frameOf({ event, id, data }: StreamEvent): Frame {
  const head = `${event === undefined ? "" : `event: ${event}\n`}${id === undefined ? "" : `id: ${id}\n`}`;
  return Buffer.from(`${head}data: ${data}\n\n`);
}

/** Server-Sent Events to one reader. */
export interface EventStream {
  /** Aborted when the reader leaves or the server closes. */
  readonly closed: AbortSignal;
  /** False when the reader is slow: send nothing more before `drained`. */
  send(frame: Frame): boolean;
  /** What the reader has not taken yet. */
  readonly bufferedBytes: number;
  /** Resolves when there is room again, or the stream has closed. */
  drained(): Promise<void>;
  end(): void;
}

/** All open streams, so that closing the server ends them at once. */
export class EventStreams {
  readonly #clock: Clock;
  readonly #open = new Set<Pulse>();
  #timer: Subscription | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.size;
  }

  get full(): boolean {
    return this.#open.size >= STREAMS_MAX;
  }

  closeAll(): void {
    for (const pulse of this.#open) pulse.close();
  }

  /**
   * Takes the reply over from fastify.
   *
   * @source WHATWG HTML, server-sent events. The headers that hooks have set are copied, since a hijacked reply
   *   skips `onSend`; headers go out before the first event.
   * @param stays Whether the reader may still read, asked now and then; default: for ever.
   */
  open(reply: FastifyReply, stays?: () => Promise<boolean>): EventStream {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...onlyDefined(reply.getHeaders()),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    raw.socket?.setNoDelay(true);
    raw.write("retry: 2000\n\n");
    const closing = new AbortController();
    const pulse = new Pulse(raw, stays);
    this.#open.add(pulse);
    this.#timer ??= this.#beat();
    raw.on("error", () => {}); // the reader's connection broke: "close" follows
    raw.once("close", () => {
      this.#open.delete(pulse);
      if (this.#open.size === 0) this.#rest();
      closing.abort();
    });
    return {
      closed: closing.signal,
      send: (frame) => !closing.signal.aborted && raw.write(frame),
      get bufferedBytes() {
        return raw.writableLength;
      },
      drained: () => drained(raw, closing.signal),
      end: () => pulse.close(),
    };
  }

  /** One timer for all streams: nothing is armed when something is sent. */
  #beat(): Subscription {
    return this.#clock.after(HEARTBEAT_MS, () => {
      this.#timer = this.#beat();
      for (const pulse of this.#open) pulse.beat();
    });
  }

  #rest(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }
}

/** Whether a reader is there. */
class Pulse {
  readonly #raw: FastifyReply["raw"];
  readonly #stays: (() => Promise<boolean>) | undefined;
  #taken = -1;
  #still = 0;

  constructor(raw: FastifyReply["raw"], stays: (() => Promise<boolean>) | undefined) {
    this.#raw = raw;
    this.#stays = stays;
  }

  beat(): void {
    const raw = this.#raw;
    const taken = raw.socket === null ? 0 : raw.socket.bytesWritten - raw.socket.writableLength;
    this.#still = raw.writableNeedDrain && taken === this.#taken ? this.#still + 1 : 0;
    this.#taken = taken;
    if (this.#still >= STALL_BEATS) raw.destroy();
    else if (!raw.writableNeedDrain) raw.write(": alive\n\n");
    void this.#stays?.().then((stays) => stays || this.close());
  }

  close(): void {
    if (this.#raw.writableNeedDrain) this.#raw.destroy();
    else this.#raw.end();
  }
}

function drained(raw: FastifyReply["raw"], closed: AbortSignal): Promise<void> {
  if (!raw.writableNeedDrain || closed.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      raw.off("drain", done);
      closed.removeEventListener("abort", done);
      resolve();
    };
    raw.once("drain", done);
    closed.addEventListener("abort", done, { once: true });
  });
}

type Headers = Record<string, number | string | string[]>;

function onlyDefined(headers: Readonly<Record<string, number | string | string[] | undefined>>): Headers {
  const set: Headers = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) set[name] = value;
  return set;
}
