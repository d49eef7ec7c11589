import type { FastifyReply } from "fastify";
import type { Subscription } from "rxjs";
import type { Clock } from "../engine/clock.ts";

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long has gone. */
const STALL_MS = 60_000;
const STREAMS_MAX = 1_000;

/** Server-Sent Events to one reader. */
export interface EventStream {
  /** Aborted when the reader leaves or the server closes. */
  readonly closed: AbortSignal;
  /** False when the reader is slow: send nothing more before `drained`. */
  send(event: { readonly event?: string; readonly id?: number; readonly data: string }): boolean;
  /** What the reader has not taken yet. */
  readonly bufferedBytes: number;
  /** Resolves when there is room again, or the stream has closed. */
  drained(): Promise<void>;
  end(): void;
}

/** All open streams, so that closing the server ends them at once. */
export class EventStreams {
  readonly #clock: Clock;
  readonly #open = new Set<() => void>();

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
    for (const close of this.#open) close();
  }

  /**
   * Takes the reply over from fastify. `data` must be one line; JSON is.
   *
   * @source WHATWG HTML, server-sent events. The headers that hooks have set are copied, since a hijacked reply
   *   skips `onSend`; headers go out before the first event.
   */
  open(reply: FastifyReply): EventStream {
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
    const close = (): void => (raw.writableNeedDrain ? void raw.destroy() : void raw.end());
    this.#open.add(close);
    const heartbeat = this.#heartbeat(() => {
      if (!raw.writableNeedDrain) raw.write(": alive\n\n");
    });
    raw.on("error", () => {}); // the reader's connection broke: "close" follows
    raw.once("close", () => {
      heartbeat();
      this.#open.delete(close);
      closing.abort();
    });
    const stalled = this.#stallGuard(raw, closing.signal);
    return {
      closed: closing.signal,
      send: ({ event, id, data }) => {
        if (closing.signal.aborted) return false;
        const head = `${event === undefined ? "" : `event: ${event}\n`}${id === undefined ? "" : `id: ${id}\n`}`;
        const room = raw.write(`${head}data: ${data}\n\n`);
        if (!room) stalled();
        return room;
      },
      get bufferedBytes() {
        return raw.writableLength;
      },
      drained: () => drained(raw, closing.signal),
      end: close,
    };
  }

  #heartbeat(beat: () => void): () => void {
    let timer: Subscription | undefined;
    const again = (): void => {
      timer = this.#clock.after(HEARTBEAT_MS, () => {
        beat();
        again();
      });
    };
    again();
    return () => timer?.unsubscribe();
  }

  /** Returns what to call when the reader has become slow. */
  #stallGuard(raw: FastifyReply["raw"], closed: AbortSignal): () => void {
    let armed = false;
    return () => {
      if (armed) return;
      armed = true;
      const timer = this.#clock.after(STALL_MS, () => raw.destroy());
      void drained(raw, closed).finally(() => {
        armed = false;
        timer.unsubscribe();
      });
    };
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
