import { constants, type Stats } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { join } from "node:path";
import { TextDecoder } from "node:util";
import { concat, EMPTY, type Observable, of, Subject, type Subscription } from "rxjs";
import type { Clock } from "./clock.ts";
import { LogScrubber } from "./log-scrubber.ts";
import { LogSink, OpenFiles, type Sink } from "./log-sink.ts";
import { scrub } from "./secret.ts";

/** Begins a line of ours; output never holds one. */
export const MARK = "\u001e";
/** What output shows instead. */
const MARK_SHOWN = "\u241e";
const FLUSH_MS = 100;
const FLUSH_CHARS = 64 * 1024;
const TAIL_CHARS = 64 * 1024;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const READ_BYTES_MAX = 4 * 1024 * 1024;
const CHARACTER_BYTES_MAX = 4;

/** The file of a job's log below the state directory. */
export const logPath = (id: string): string => `job/${id}.log`;

export interface LogOptions {
  /** Output beyond it is not kept but for its last lines. Default 64 MiB. */
  readonly outputBytesMax?: number;
}

/** The logs of all jobs: files below the state directory, written by one process and read by anyone. */
export class LogFiles {
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #options: LogOptions;
  readonly #live = new Map<string, JobLog>();
  readonly #flusher: Flusher;
  readonly #open = new OpenFiles();

  /** @param dir  The state directory. */
  constructor(dir: string, clock: Clock, options: LogOptions = {}) {
    this.#dir = dir;
    this.#clock = clock;
    this.#options = options;
    this.#flusher = new Flusher(clock);
  }

  /** The writer of a job's log; its file is made with the first line. */
  writer(id: string): JobLog {
    const path = logPath(id);
    const log = new JobLog(
      (marked) => this.sink(path, marked),
      this.#clock,
      this.#flusher,
      this.#options,
      () => this.#live.delete(path),
    );
    this.#live.set(path, log);
    return log;
  }

  /** Where a log goes: a file. */
  protected sink(path: string, marked: (text: string) => string): Sink {
    return new LogSink(this.#fileOf(path), marked, this.#open);
  }

  /** Hands over what a log that is still written has gathered. */
  protected flush(path: string): void {
    this.#live.get(path)?.flush();
  }

  /** Bytes so far; 0 when there is no file. `path` is that of the job's row. */
  async size(path: string): Promise<number> {
    this.flush(path);
    const stats: Stats | undefined = await lstat(this.#fileOf(path)).catch(() => undefined);
    return stats?.isFile() ? stats.size : 0;
  }

  /**
   * At most `bytesMax` bytes from `from`; nothing beyond the end. Never cuts a character: an end inside one is moved
   * back, and a start inside one is moved on.
   */
  async read(path: string, from: number, bytesMax: number): Promise<Uint8Array> {
    this.flush(path);
    const start = clamp(from, 0, Number.MAX_SAFE_INTEGER);
    const length = clamp(bytesMax, CHARACTER_BYTES_MAX, READ_BYTES_MAX);
    const file = await open(this.#fileOf(path), constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
    if (file === undefined) return new Uint8Array();
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, start);
      return wholeCharacters(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  }

  /** Emits now and whenever there is more to read; completes when the log is closed, at once when nobody writes it. */
  grows(id: string): Observable<void> {
    const log = this.#live.get(logPath(id));
    return log === undefined ? EMPTY : concat(of(undefined), log.grown);
  }

  /** Paths come from ids that we made; anything else is a mistake of the program. */
  #fileOf(path: string): string {
    const isOurs = path
      .split("/")
      .every((part) => part !== "" && part !== "." && part !== ".." && !part.includes("\0"));
    if (!isOurs) throw new Error(`${JSON.stringify(path)} is not the path of a log`);
    return join(this.#dir, path);
  }
}

/** Calls for what is buffered: one timer for all logs. */
class Flusher {
  readonly #clock: Clock;
  readonly #waiting = new Set<JobLog>();
  #timer: Subscription | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(log: JobLog): void {
    this.#waiting.add(log);
    this.#timer ??= this.#clock.after(FLUSH_MS, () => {
      this.#timer = undefined;
      for (const waiting of this.#waiting) waiting.flush();
    });
  }

  delete(log: JobLog): void {
    this.#waiting.delete(log);
    if (this.#waiting.size > 0) return;
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }
}

/** The log of one job while it is written. After `close` everything is ignored. */
export class JobLog {
  /** Emits after each write to the file; completes with `close`. */
  readonly grown = new Subject<void>();
  readonly #clock: Clock;
  readonly #sink: Sink;
  readonly #closed: () => void;
  readonly #outputBytesMax: number;
  readonly #flusher: Flusher;
  #decoder: TextDecoder | undefined;
  readonly #scrubber = new LogScrubber();
  #buffer = "";
  #inLine = false;
  #outputBytes = 0;
  #cutBytes = 0;
  #tail = "";
  #closing: Promise<void> | undefined;

  constructor(
    sink: (marked: (text: string) => string) => Sink,
    clock: Clock,
    flusher: Flusher,
    options: LogOptions,
    closed: () => void,
  ) {
    this.#clock = clock;
    this.#flusher = flusher;
    this.#sink = sink((text) => this.#marked(text));
    this.#outputBytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
    this.#closed = closed;
  }

  /** A line of ours. Output that is not finished yet, half a line or half a secret, comes after it. */
  line(text: string): void {
    if (this.#closing === undefined) this.#put(this.#ours(text));
  }

  /** Output of a child or a daemon, in any chunks. */
  write(output: string | Uint8Array): void {
    if (this.#closing !== undefined) return;
    this.#output(this.#scrubber.push(typeof output === "string" ? this.#rest() + output : this.#decoded(output)));
  }

  #decoded(output: Uint8Array): string {
    this.#decoder ??= new TextDecoder("utf-8", { ignoreBOM: true });
    return this.#decoder.decode(output, { stream: true });
  }

  /** Of bytes that did not make a character yet. */
  #rest(): string {
    return this.#decoder?.decode() ?? "";
  }

  /** Hands what is buffered to the file. */
  flush(): void {
    this.#flusher.delete(this);
    if (this.#buffer === "") return;
    const text = this.#buffer;
    this.#buffer = "";
    this.#sink.append(text);
    this.grown.next();
  }

  /** Writes the rest and makes the file durable. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#output(this.#scrubber.push(this.#rest()) + this.#scrubber.end());
    if (this.#cutBytes > 0) {
      const tail = this.#tail.slice(-TAIL_CHARS);
      this.#put(this.#ours(`${this.#cutBytes} bytes of output were not kept; these are the last:`));
      this.#put(tail.slice(tail.indexOf("\n") + 1));
    }
    this.flush();
    await this.#sink.close();
    this.grown.next();
    this.grown.complete();
    this.#closed();
  }

  #output(scrubbed: string): void {
    if (scrubbed === "") return;
    const text = scrubbed.replaceAll(MARK, MARK_SHOWN);
    const bytes = Buffer.byteLength(text);
    if (this.#cutBytes === 0 && this.#outputBytes + bytes <= this.#outputBytesMax) {
      this.#outputBytes += bytes;
      return this.#put(text);
    }
    if (this.#cutBytes === 0)
      this.#put(
        this.#ours(`output beyond ${this.#outputBytesMax} bytes is not kept; the last lines follow at the end`),
      );
    this.#cutBytes += bytes;
    this.#tail += text;
    if (this.#tail.length > 2 * TAIL_CHARS) this.#tail = this.#tail.slice(-TAIL_CHARS);
  }

  #put(text: string): void {
    if (text === "") return;
    this.#buffer += text;
    this.#inLine = !text.endsWith("\n");
    if (this.#buffer.length >= FLUSH_CHARS) this.flush();
    else this.#flusher.add(this);
  }

  #ours(text: string): string {
    return (this.#inLine ? "\n" : "") + this.#marked(text);
  }

  /** Each line of the text is marked, so that none of them could pass for output. */
  #marked(text: string): string {
    const time = new Date(this.#clock.now()).toISOString().replace("T", " ").slice(0, 23);
    const lines = scrub(text).replaceAll(MARK, MARK_SHOWN).split("\n");
    return lines.map((line) => `${MARK}${time}: ${line}\n`).join("");
  }
}

function clamp(value: number, least: number, most: number): number {
  return Number.isNaN(value) ? least : Math.max(least, Math.min(Math.trunc(value), most));
}

/** Without parts of characters at either end; what is not UTF-8 at all is left alone, so that a reader gets on. */
function wholeCharacters(bytes: Buffer): Uint8Array {
  let start = 0;
  while (start < CHARACTER_BYTES_MAX && isContinuation(bytes[start])) start += 1;
  let last = bytes.length - 1;
  while (last > bytes.length - CHARACTER_BYTES_MAX && isContinuation(bytes[last])) last -= 1;
  const end = last + lengthFrom(bytes[last]) > bytes.length ? last : bytes.length;
  return start < end ? bytes.subarray(start, end) : bytes;
}

const isContinuation = (byte: number | undefined): boolean =>
  byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000;

/** Bytes of the character that begins with this one. */
function lengthFrom(byte: number | undefined): number {
  if (byte === undefined || byte < 0b1100_0000) return 1;
  if (byte < 0b1110_0000) return 2;
  return byte < 0b1111_0000 ? 3 : 4;
}
