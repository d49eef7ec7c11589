/** One line of the engine's answer to a build or a push. What has another shape is not there. */
export interface EngineEvent {
  /** `moby.buildkit.trace`, `moby.image.id`, or a layer of a push. */
  readonly id: string | undefined;
  readonly status: string | undefined;
  /** The operation failed, though the request went well: only this tells. */
  readonly error: string | undefined;
  readonly aux: unknown;
}

/** A line that grows beyond this is none. */
const LINE_MAX = 16 * 1024 * 1024;

/** The events as they come. Throws what the stream throws, which the signal of its request ends. */
export async function* eventsOf(stream: NodeJS.ReadableStream): AsyncGenerator<EngineEvent> {
  stream.setEncoding("utf8");
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_MAX) throw new Error("the engine's answer has a line without end");
    for (const line of lines) yield* parse(line);
  }
  yield* parse(rest);
}

function* parse(line: string): Generator<EngineEvent> {
  if (line.trim() === "") return;
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return; // an answer that was cut off: what follows from it is told by the end of the stream
  }
  const detail = fieldOf(json, "errorDetail");
  const error = textOf(detail, "message") ?? textOf(json, "error");
  yield { id: textOf(json, "id"), status: textOf(json, "status"), error, aux: fieldOf(json, "aux") };
}

/** A field of a value that somebody else made. */
function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

/** A field of text of a value that somebody else made. */
export function textOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === "string" ? field : undefined;
}
