import { closeSync, constants, fstatSync, fsync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
const NEWLINE = 0x0a;
const sync = promisify(fsync);

/** Where the text of one log goes. */
export interface Sink {
  append(text: string): void;
  close(): Promise<void>;
}

/**
 * The file behind one job log: made with the first bytes, appended to, never a reason for the job to fail.
 *
 * What does not fit on a full disk is counted, and the gap is marked as soon as there is room again.
 */
export class LogSink implements Sink {
  readonly #path: string;
  readonly #marked: (text: string) => string;
  #file: number | undefined;
  #lostBytes = 0;
  #why = "";

  /** @param marked  Makes a line of ours, newline included. */
  constructor(path: string, marked: (text: string) => string) {
    this.#path = path;
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
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    try {
      await sync(file);
    } catch {
      // a log that is not durable is no reason to end: the database has its own, stricter, rule
    }
    closeSync(file);
  }

  /** How many bytes could be written. */
  #write(bytes: Buffer): number {
    let wrote = 0;
    try {
      this.#file ??= openLog(this.#path);
      while (wrote < bytes.length) wrote += writeSync(this.#file, bytes, wrote);
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
