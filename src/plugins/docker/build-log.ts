import { StringDecoder } from "node:string_decoder";
import type { Job } from "../../engine/job.ts";
import type { BuildStatus, Vertex } from "./trace.ts";

/** Lines of output that are kept for the error message. */
const TAIL_LINES = 10;
const LINE_MAX = 8_192;
/** `[2/3] RUN …`, `[build 4/7] COPY …`: the instructions, and how many there are. */
const INSTRUCTION = /^\[(?:[^\]]* )?\d+\/\d+\] /;

/** One operation of the build as it is followed here. */
interface Seen {
  readonly number: number;
  readonly name: string;
  /** What was said about it so far. */
  told: "" | "name" | "end";
  completed: boolean;
  readonly decoder: StringDecoder;
  partial: string;
  readonly tail: string[];
}

/** Where a build failed: the instruction and the last lines that it wrote. */
export interface BuildFault {
  readonly name: string;
  readonly error: string;
  readonly tail: readonly string[];
}

/** Turns what BuildKit reports into lines for a job's log, as `docker build --progress=plain` words them. */
export class BuildLog {
  readonly #job: Job;
  readonly #seen = new Map<string, Seen>();
  #progress = "";
  #fault: BuildFault | undefined;

  constructor(job: Job) {
    this.#job = job;
  }

  /** The first operation that failed by its own doing. */
  get fault(): BuildFault | undefined {
    return this.#fault;
  }

  add(status: BuildStatus): void {
    for (const vertex of status.vertexes) this.#begin(vertex);
    for (const { vertex, text } of status.logs) {
      const seen = this.#seen.get(vertex);
      if (seen !== undefined) this.#output(seen, seen.decoder.write(Buffer.from(text)));
    }
    for (const vertex of status.vertexes) this.#end(vertex);
    this.#report();
  }

  #begin(vertex: Vertex): void {
    const seen = this.#seen.get(vertex.digest) ?? this.#meet(vertex);
    if (vertex.started === undefined || seen.told !== "") return;
    seen.told = "name";
    this.#line(seen, seen.name);
  }

  #meet(vertex: Vertex): Seen {
    const number = this.#seen.size + 1;
    const name = oneLine(vertex.name);
    const decoder = new StringDecoder("utf8");
    const seen: Seen = { number, name, told: "", completed: false, decoder, partial: "", tail: [] };
    this.#seen.set(vertex.digest, seen);
    return seen;
  }

  #end(vertex: Vertex): void {
    const seen = this.#seen.get(vertex.digest);
    if (seen === undefined || vertex.completed === undefined || vertex.started === undefined) return;
    // BuildKit may report an end and then a later one of the same operation: the first is told, an error always.
    if (seen.told === "end" && vertex.error === "") return;
    if (seen.partial !== "") this.#output(seen, "\n");
    seen.told = "end";
    seen.completed = vertex.error === "";
    const seconds = (vertex.completed - vertex.started).toFixed(1);
    this.#line(
      seen,
      vertex.error !== "" ? `ERROR: ${oneLine(vertex.error)}` : vertex.cached ? "CACHED" : `DONE ${seconds}s`,
    );
    const interrupted = vertex.error.includes("context canceled");
    if (vertex.error !== "" && !interrupted) this.#fault ??= { name: seen.name, error: vertex.error, tail: seen.tail };
  }

  #output(seen: Seen, text: string): void {
    const lines = (seen.partial + text).split("\n");
    seen.partial = lines.pop() ?? "";
    if (seen.partial.length > LINE_MAX) lines.push(seen.partial.slice(0, LINE_MAX));
    if (seen.partial.length > LINE_MAX) seen.partial = "";
    for (const line of lines) {
      // A progress bar overwrites its line: what stands there at the end is what counts.
      const last = line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
      seen.tail.push(last);
      if (seen.tail.length > TAIL_LINES) seen.tail.shift();
      this.#line(seen, last);
    }
  }

  #line(seen: Seen, text: string): void {
    this.#job.write(`#${seen.number} ${text}\n`);
  }

  #report(): void {
    const instructions = [...this.#seen.values()].filter((seen) => INSTRUCTION.test(seen.name));
    const done = instructions.filter((seen) => seen.completed).length;
    const label = [...this.#seen.values()].findLast((seen) => seen.told === "name")?.name ?? "";
    const progress = `${done}/${instructions.length} ${label}`;
    if (progress === this.#progress || instructions.length === 0) return;
    this.#progress = progress;
    this.#job.progress({ done, total: instructions.length, label });
  }
}

const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, " ").trim();
