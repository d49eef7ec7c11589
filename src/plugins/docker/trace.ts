/** What BuildKit says about a build while it runs: the parts of its status message that people read. */
export interface BuildStatus {
  readonly vertexes: readonly Vertex[];
  readonly logs: readonly VertexLog[];
}

/** One operation of a build: an instruction, or something internal. Repeated whenever it changes. */
export interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  /** Seconds since 1970. */
  readonly started?: number;
  readonly completed?: number;
  readonly error: string;
}

export interface VertexLog {
  readonly vertex: string;
  readonly text: Uint8Array;
}

/**
 * Decodes a `moby.buildkit.trace` event's `aux`. Throws a RangeError when it is no such message.
 *
 * @source github.com/moby/buildkit, api/services/control/control.proto: StatusResponse
 */
export function decodeTrace(base64: string): BuildStatus {
  const vertexes: Vertex[] = [];
  const logs: VertexLog[] = [];
  for (const { number, bytes } of fieldsOf(Buffer.from(base64, "base64"))) {
    if (number === 1) vertexes.push(decodeVertex(bytes));
    if (number === 3) logs.push(decodeLog(bytes));
  }
  return { vertexes, logs };
}

function decodeVertex(message: Uint8Array): Vertex {
  const vertex = { digest: "", name: "", cached: false, error: "" };
  const times: { started?: number; completed?: number } = {};
  for (const { number, bytes, value } of fieldsOf(message)) {
    if (number === 1) vertex.digest = textOf(bytes);
    if (number === 3) vertex.name = textOf(bytes);
    if (number === 4) vertex.cached = value !== 0;
    if (number === 5) times.started = decodeTime(bytes);
    if (number === 6) times.completed = decodeTime(bytes);
    if (number === 7) vertex.error = textOf(bytes);
  }
  return { ...vertex, ...times };
}

function decodeLog(message: Uint8Array): VertexLog {
  let vertex = "";
  let text: Uint8Array = new Uint8Array();
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) vertex = textOf(bytes);
    if (number === 4) text = bytes;
  }
  return { vertex, text };
}

function decodeTime(message: Uint8Array): number {
  let seconds = 0;
  for (const { number, value } of fieldsOf(message)) {
    if (number === 1) seconds += value;
    if (number === 2) seconds += value / 1e9;
  }
  return seconds;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

interface Field {
  readonly number: number;
  /** Of a number field; else 0. */
  readonly value: number;
  /** Of a text, bytes or message field; else empty. */
  readonly bytes: Uint8Array;
}

const NO_BYTES = new Uint8Array();

/** @source protobuf.dev/programming-guides/encoding: wire types 0 varint, 1 and 5 fixed, 2 with a length */
function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError("a number of the trace is cut off");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === 0) yield { number, value: varint(), bytes: NO_BYTES };
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === 2) {
      const length = varint();
      if (at + length > message.length) throw new RangeError("a field of the trace is cut off");
      yield { number, value: 0, bytes: message.subarray(at, at + length) };
      at += length;
    } else throw new RangeError(`the trace has a field of type ${type}`);
  }
}
