import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { problem } from "../../engine/errors.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { openClient } from "../client.ts";
import type { Call, CommandSpec } from "../command.ts";
import type { Exit } from "../exit.ts";
import { fieldsOf, textOf } from "../fields.ts";
import { pathOf } from "../path-of.ts";
import { report } from "../report.ts";
import { secretFile } from "../secret-file.ts";

interface Delivery {
  readonly event: string;
  readonly id: string;
  readonly body: Buffer;
}

/** Sends a stored delivery as GitHub would: signed with the webhook's secret. */
export const receive: CommandSpec = {
  name: "receive",
  arguments: "<file>",
  summary: "give the server a webhook delivery from a file",
  details:
    "The file is the JSON body, with --event push; or, as GitHub's list of deliveries shows them, the headers, an empty " +
    "line and the body. It is signed with the secret of --github-webhook-secret-file. One that was taken before under the same X-GitHub-Delivery is not acted on again.",
  flags: ["event", "githubSecret", "url", "state"],
  async run(call: Call): Promise<Exit> {
    const delivery = deliveryOf(call, call.args[0] ?? "");
    if (!delivery.ok) return report(call.io, delivery.error);
    const secretPath = call.given.text("githubSecret");
    if (secretPath === undefined)
      return report(call.io, usage("receive needs --github-webhook-secret-file: an unsigned delivery is refused"));
    const secret = secretFile(pathOf(call, secretPath));
    if (!secret.ok) return report(call.io, secret.error);
    const client = openClient(call);
    if (!client.ok) return report(call.io, client.error);
    const { event, id, body } = delivery.value;
    const answer = await client.value.deliver("github", body, {
      "x-github-event": event,
      "x-github-delivery": id,
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret.value.reveal()).update(body).digest("hex")}`,
    });
    if (!answer.ok) return report(call.io, refusalOf(answer.error));
    call.io.out(`${event} ${id}: ${textOf(fieldsOf(answer.value), "note") ?? "taken"}`);
    return "done";
  },
};

/** What the door says, with what to do about it: it knows no tokens. */
function refusalOf(error: Failure): Failure {
  if (error.code === "NOT_FOUND" || error.code === "LOGIN_NEEDED")
    return {
      ...error,
      message: "the server takes no webhooks of GitHub",
      hint: "It does with --github-webhook-secret-file.",
    };
  if (error.code === "NO_TOKEN")
    return { ...error, hint: "Give the file with the secret that the server was started with." };
  return error.code === "SERVER_REFUSED" ? { ...error, hint: "Give the file as GitHub shows the delivery." } : error;
}

const HEADER = /^([A-Za-z][A-Za-z0-9 -]*):[ \t]*(.*?)[ \t]*\r?$/;

/** The bytes of the body stay as they are: they are what is signed. */
function deliveryOf(call: Call, file: string): Result<Delivery> {
  const read = bytesOf(pathOf(call, file));
  if (!read.ok) return read;
  const { headers, body } = split(read.value);
  const event = call.given.text("event") ?? headers.get("x-github-event");
  if (event === undefined)
    return failure(usage(`${file} has no line "X-GitHub-Event: …": name the event with --event`));
  return success({ event, id: headers.get("x-github-delivery") ?? randomUUID(), body });
}

function bytesOf(file: string): Result<Buffer> {
  try {
    return success(readFileSync(file));
  } catch (error) {
    return failure(usage(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`));
  }
}

function split(bytes: Buffer): { readonly headers: ReadonlyMap<string, string>; readonly body: Buffer } {
  const headers = new Map<string, string>();
  let from = 0;
  for (;;) {
    const end = bytes.indexOf("\n", from);
    const line = bytes.subarray(from, end === -1 ? bytes.length : end).toString("utf8");
    const header = HEADER.exec(line);
    if (header === null) return { headers, body: line.trim() === "" ? bytes.subarray(end + 1) : bytes.subarray(from) };
    headers.set((header[1] ?? "").toLowerCase(), header[2] ?? "");
    if (end === -1) return { headers, body: bytes.subarray(bytes.length) };
    from = end + 1;
  }
}

const usage = (message: string) => problem("USAGE", message, { hint: "See: millrace receive --help." });
