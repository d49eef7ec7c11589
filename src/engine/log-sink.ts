import { closeSync, constants, fstatSync, fsync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { Pool } from "./pool.ts";

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
const NEWLINE = 0x0a;
const sync = promisify(fsync);

/** Where the text of one log goes. */
export interface Sink {
  append(text: string): void;
  close(): Promise<void>;
}

/** Thousands of jobs may wait at a time, each with a line in its log: only so many of their files stay open. */
const OPEN_MAX = 200;
/** All of them may end at once: when Millrace is stopped. */
const CLOSING_MAX = 20;
/** Whoever closes waits for its turn however it goes. */
const NEVER = new AbortController().signal;

/** The files that are open, the one that was written to longest ago first. */
export class OpenFiles {
  readonly #sinks = new Set<LogSink>();
  readonly #closing = new Pool("closing", CLOSING_MAX);

  /** It is written to, and open from now on. */
  used(sink: LogSink): void {
    this.#sinks.delete(sink);
    this.#sinks.add(sink);
    if (this.#sinks.size <= OPEN_MAX) return;
    const oldest = this.#sinks.values().next();
    if (oldest.done !== true) oldest.value.rest();
  }

  closed(sink: LogSink): void {
    this.#sinks.delete(sink);
  }

  /** Closes one when its turn comes. */
  async inTurn(close: () => Promise<void>): Promise<void> {
    const giveBack = await this.#closing.acquire(NEVER);
    try {
      await close();
    } finally {
      giveBack?.();
    }
  }
}

/**
 * The file behind one job log: made with the first bytes, appended to, never a reason for the job to fail.
 *
 * What does not fit on a full disk is counted, and the gap is marked as soon as there is room again.
 */
export class LogSink implements Sink {
  readonly #path: string;
  readonly #marked: (text: string) => string;
  readonly #open: OpenFiles;
  /** It is there, made or gone on with by this very sink. */
  #began = false;
  #file: number | undefined;
  #lostBytes = 0;
  #why = "";

  /** @param marked  Makes a line of ours, newline included. */
  constructor(path: string, marked: (text: string) => string, open: OpenFiles) {
    this.#path = path;
    this.#open = open;
    this.#marked = marked;
  }

  /** Appends, marking an earlier gap first. Written synchronously, so that an exit loses nothing that was flushed. */
  append(text: string): void {
    if (this.#lostBytes > 0) return this.#appendMarked(text);
    const bytes = Buffer.from(text);
    this.#lostBytes = bytes.length - this.#write(bytes);
  }

  #appendMarked(text: string): void {
    const start = Buffer.from(`\n${this.#marked(`${this.#lostBytes} bytes are missing here: ${this.#why}`)}`);
    const bytes = Buffer.concat([start, Buffer.from(text)]);
    const wrote = this.#write(bytes);
    if (wrote >= start.length) this.#lostBytes = 0;
    this.#lostBytes += bytes.length - Math.max(wrote, start.length);
  }

  /** Makes everything durable and closes. */
  async close(): Promise<void> {
    if (this.#lostBytes > 0) this.append("");
    if (this.#began) await this.#open.inTurn(() => this.#closeDurably());
  }

  async #closeDurably(): Promise<void> {
    try {
      const file = this.#opened();
      this.#file = undefined;
      this.#open.closed(this);
      await sync(file).finally(() => closeSync(file));
    } catch {
      // a log that is not durable is no reason to end: the database has its own, stricter, rule
    }
  }

  /** Gives its file back until it is written to again. */
  rest(): void {
    this.#open.closed(this);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #opened(): number {
    this.#file ??= this.#began
      ? openSync(this.#path, O_APPEND | O_CREAT | O_NOFOLLOW | O_RDWR, 0o600)
      : openLog(this.#path);
    this.#began = true;
    return this.#file;
  }

  /** How many bytes could be written. */
  #write(bytes: Buffer): number {
    let wrote = 0;
    try {
      const file = this.#opened();
      this.#open.used(this);
      while (wrote < bytes.length) wrote += writeSync(file, bytes, wrote);
    } catch (error) {
      this.#why = codeOf(error);
    }
    return wrote;
  }
}

/** The folder is made when it is missing: once a day. */
function openLog(path: string): number {
  try {
    return openIn(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openIn(path);
  }
}

function openIn(path: string): number {
  try {
    return openSync(path, O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR, 0o600);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    return goOn(path);
  }
}

/** An existing file, left by a process that died, is gone on with on a new line. */
function goOn(path: string): number {
  const file = openSync(path, O_APPEND | O_NOFOLLOW | O_RDWR, 0o600);
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  if (size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE) writeSync(file, "\n");
  return file;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown error";
