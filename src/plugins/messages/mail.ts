import { domainToASCII } from "node:url";
import { createTransport } from "nodemailer";
import addressparser from "nodemailer/lib/addressparser";
import { digestOf } from "../../engine/cache/digest.ts";
import type { Sender } from "../../engine/effects/sender.ts";
import { problem } from "../../engine/errors.ts";
import { type Secret, scrub } from "../../engine/secret.ts";
import { type Failure, failure, success } from "../../term/output.ts";
import { type Ending, type Message, messageSender, type Posted } from "./message.ts";

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

/**
 * Messages by mail: one a deploy. Sent only when everybody got it: whoever the server does not take it for is tried
 * again, and the others do not get it twice, also from the next process.
 */
export const mailSender = (options: MailOptions, site: string): Sender<Ending> =>
  messageSender({ kind: "mail", site, post: (...given) => send(options, ...given) });

async function send(
  options: MailOptions,
  message: Message,
  signal: AbortSignal,
  reached: readonly string[],
): Promise<Posted> {
  const { server, password, from, to } = options;
  const markOf = (address: string): string => digestOf([message.id, normal(address)]).slice(0, 16);
  const readers = addressparser(to, { flatten: true }).map(({ address }) => address);
  const rest = readers.filter((address) => !reached.includes(markOf(address)));
  if (reached.length > 0 && rest.length === 0) return success(undefined); // whoever is left is no reader any more
  const url = new URL(server);
  const transport = createTransport(settingsOf(url, password));
  const stop = (): void => transport.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const sent = await transport.sendMail({ from, to, ...contentOf(message), envelope: { from, to: rest } });
    if (sent.rejected.length === 0) return success(undefined);
    const error = refusal(sent.rejectedErrors ?? [], sent.rejected.length, readers.length, url.host);
    return { ...failure(error), reached: [...reached, ...sent.accepted.map(markOf)] };
  } catch (error) {
    const rejected: unknown = error instanceof Error && "rejected" in error ? error.rejected : undefined;
    const told = failureOf(error, url.host);
    return failure(Array.isArray(rejected) ? notTo(rejected.length, readers.length, told) : told);
  } finally {
    signal.removeEventListener("abort", stop);
    transport.close();
  }
}

/** As the mail server is told it, near enough. */
function normal(address: string): string {
  const at = address.lastIndexOf("@") + 1;
  return (address.slice(0, at) + (domainToASCII(address.slice(at)) || address.slice(at))).toLowerCase();
}

/** Some got it, some did not: when one of those may get it later, they are tried again. */
function refusal(errors: readonly Error[], count: number, readers: number, host: string): Failure {
  const failures = errors.map((error) => failureOf(error, host));
  const told = failures.find(({ class: kind }) => kind === "transient") ?? failures[0] ?? problem("NOT_SENT", host);
  return notTo(count, readers, told);
}

const notTo = (count: number, readers: number, told: Failure): Failure => ({
  ...told,
  message: `not to ${count} of ${readers} readers: ${told.message}`,
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
  return problem(refused ? "SEND_REFUSED" : "NOT_SENT", `${host}: ${masked(scrub(said.replaceAll(/\s+/g, " ")))}`);
}

/** Everybody may read why a message waits, but not whom it is for: servers repeat the address. */
const masked = (text: string): string => text.replaceAll(/[^\s<>()[\]"',;:]{1,64}@[^\s<>()[\]"',;:]+/g, "(address)");
