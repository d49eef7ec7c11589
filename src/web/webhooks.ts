import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Door, DoorAnswer } from "../engine/inbound.ts";

/** What all bodies that are being read may take together, in bytes: others are asked to come again. */
export interface Room {
  /** There is no more for one that is larger than usual… */
  readonly large: number;
  /** …and none at all beyond that, so that bodies of the usual size seldom find it full. */
  readonly all: number;
}

const ROOM: Room = { large: 96 * 1024 * 1024, all: 160 * 1024 * 1024 };
/** Bodies of the usual size. */
const SMALL_BYTES = 256 * 1024;
const RETRY_SEC = 30;

type Taken = Room & { taken: number };
type Read =
  | { readonly kind: "body"; readonly body: Buffer }
  | { readonly kind: "large" }
  | { readonly kind: "crowded" }
  | { readonly kind: "broken" };

/**
 * `POST /webhooks/…`: hands the bytes of a body over as they came.
 *
 * Nobody has signed anything before the last byte is here, so as little as possible is spent until then: what the
 * headers give away is refused unread, the rest is cut off at the door's limit.
 */
export function serveWebhooks(app: FastifyInstance, doors: readonly Door[], bytes: Room = ROOM): void {
  const room = { ...bytes, taken: 0 };
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null)); // read by the handler, if at all
    for (const door of doors) {
      scope.post(`/webhooks/${door.forge}`, { config: { role: "none" } }, (request, reply) =>
        answer(door, room, request, reply),
      );
    }
  });
}

async function answer(door: Door, room: Taken, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { headers, raw } = request;
  const unread = refusedUnread(door, request);
  if (unread !== undefined) return refuse(reply, unread.status, unread.note);
  const read = await readBody(raw, door.bytesMax, room);
  if (read.kind === "large") return refuse(reply, 413, tooLong(door));
  if (read.kind === "crowded") return refuse(reply.header("retry-after", RETRY_SEC), 503, "too much at once");
  if (read.kind === "broken") return refuse(reply, 400, "the body broke off");
  const { status, note } = await door.receive(headers, read.body);
  if (status === 503) reply.header("retry-after", RETRY_SEC);
  return reply.code(status).send({ note });
}

const tooLong = ({ bytesMax }: Door): string => `longer than ${bytesMax} bytes`;

type Refusal = DoorAnswer | { readonly status: 413; readonly note: string };

function refusedUnread(door: Door, { headers }: FastifyRequest): Refusal | undefined {
  const refused = door.refuses(headers);
  if (refused !== undefined) return refused;
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") return { status: 415, note: "the body is compressed" };
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") return { status: 415, note: "the content type has to be application/json" };
  const length = Number(headers["content-length"] ?? 0);
  return length > door.bytesMax ? { status: 413, note: tooLong(door) } : undefined;
}

/** What is still on its way is not waited for: the connection ends with the answer. */
function refuse(reply: FastifyReply, status: number, note: string): FastifyReply {
  reply.raw.once("finish", () => reply.raw.socket?.destroySoon());
  return reply.header("connection", "close").code(status).send({ note });
}

async function readBody(raw: Readable, bytesMax: number, room: Taken): Promise<Read> {
  const chunks: Buffer[] = [];
  let [size, taken] = [0, 0];
  try {
    for await (const chunk of raw) {
      if (!Buffer.isBuffer(chunk)) continue;
      size += chunk.length;
      if (size > bytesMax) return { kind: "large" };
      if (room.taken + chunk.length > (size > SMALL_BYTES ? room.large : room.all)) return { kind: "crowded" };
      room.taken += chunk.length;
      taken += chunk.length;
      chunks.push(chunk);
    }
    return { kind: "body", body: Buffer.concat(chunks, size) };
  } catch {
    return { kind: "broken" };
  } finally {
    room.taken -= taken;
  }
}
