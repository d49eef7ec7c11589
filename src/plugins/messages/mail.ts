import { createTransport } from "nodemailer";
import { digestOf } from "../../engine/cache/digest.ts";
import type { Sender } from "../../engine/effects/sender.ts";
import { problem } from "../../engine/errors.ts";
import { type Secret, scrub } from "../../engine/secret.ts";
import { type Failure, failure, type Result, success } from "../../term/output.ts";
import { type Ending, type Message, messageSender } from "./message.ts";

export interface MailOptions {
  /** `smtps://user@mail.example`, or `smtp://…`, which has to offer STARTTLS unless it is this machine. */
  readonly server: string;
  readonly password?: Secret;
  readonly from: string;
  /** One address or several, with commas between. */
  readonly to: string;
}

const CONNECT_MS = 15_000;
const SILENCE_MS = 30_000;
const SUBJECT_MAX = 150;
const here: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

/** Messages whose mail reached some of its readers: which addresses are left, by the message's id. */
type Left = Map<string, readonly string[]>;

/** More than there ever are at once, unless a server refuses somebody for ever. */
const LEFT_MAX = 1_000;

/**
 * Messages by mail: one a deploy. Sent only when everybody got it: whoever is put off by the server gets it later, and
 * the others do not get it twice.
 */
export function mailSender(options: MailOptions, site: string): Sender<Ending> {
  const left: Left = new Map();
  return messageSender({ kind: "mail", site, post: (message, signal) => send(options, left, message, signal) });
}

async function send(options: MailOptions, left: Left, message: Message, signal: AbortSignal): Promise<Result<void>> {
  const { server, password, from, to } = options;
  const url = new URL(server);
  const transport = createTransport(settingsOf(url, password));
  const stop = (): void => transport.close();
  signal.addEventListener("abort", stop, { once: true });
  const rest = left.get(message.id);
  const envelope = rest === undefined ? {} : { envelope: { from, to: [...rest] } };
  try {
    const sent = await transport.sendMail({ from, to, ...contentOf(message), ...envelope });
    left.delete(message.id);
    if (sent.rejected.length === 0) return success(undefined);
    if (left.size >= LEFT_MAX) left.clear();
    left.set(message.id, sent.rejected);
    return failure(refusal(sent.rejected, sent.rejectedErrors ?? [], url.host));
  } catch (error) {
    return failure(failureOf(error, url.host));
  } finally {
    signal.removeEventListener("abort", stop);
    transport.close();
  }
}

/** Some got it, some did not: when one of those may get it later, they are tried again. */
function refusal(addresses: readonly string[], errors: readonly Error[], host: string): Failure {
  const failures = errors.map((error) => failureOf(error, host));
  const told = failures.find(({ class: kind }) => kind === "transient") ?? failures[0] ?? problem("NOT_SENT", host);
  return notTo(addresses, told);
}

const notTo = (addresses: readonly unknown[], told: Failure): Failure => ({
  ...told,
  message: `not to ${addresses.join(", ")}: ${told.message}`,
});

function settingsOf({ protocol, hostname, port, username }: URL, password: Secret | undefined) {
  const secure = protocol === "smtps:";
  return {
    host: hostname.replaceAll(/^\[|\]$/g, ""),
    port: port === "" ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && !here.includes(hostname),
    ...(username === "" ? {} : { auth: { user: decodeURIComponent(username), pass: password?.reveal() ?? "" } }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function contentOf({ text, link, url, id }: Message) {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ");
  return {
    subject: line.length > SUBJECT_MAX ? `${line.slice(0, SUBJECT_MAX)}…` : line,
    text: `${text}\n\nLog: ${link}\n${url === undefined ? "" : `Address: ${url}\n`}`,
    messageId: `<${digestOf(id).slice(0, 32)}@millrace>`, // a second copy is known as one
    headers: { "auto-submitted": "auto-generated" },
  };
}

/** A server that says no for good is believed; everything else may heal. */
function failureOf(error: unknown, host: string): Failure {
  const said = error instanceof Error ? error.message : String(error);
  const code: unknown = error instanceof Error && "responseCode" in error ? error.responseCode : undefined;
  const refused = typeof code === "number" && code >= 500;
  const told = problem(refused ? "SEND_REFUSED" : "NOT_SENT", `${host}: ${scrub(said.replaceAll(/\s+/g, " "))}`);
  const rejected: unknown = error instanceof Error && "rejected" in error ? error.rejected : undefined;
  return Array.isArray(rejected) ? notTo(rejected, told) : told;
}
