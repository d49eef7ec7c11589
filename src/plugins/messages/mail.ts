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

/** Messages by mail: one a deploy. */
export const mailSender = (options: MailOptions, site: string): Sender<Ending> =>
  messageSender({ kind: "mail", site, post: (message, signal) => send(options, message, signal) });

async function send(options: MailOptions, message: Message, signal: AbortSignal): Promise<Result<void>> {
  const { server, password, from, to } = options;
  const url = new URL(server);
  const transport = createTransport(settingsOf(url, password));
  const stop = (): void => transport.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await transport.sendMail({ from, to, ...contentOf(message) });
    return success(undefined);
  } catch (error) {
    return failure(failureOf(error, url.host));
  } finally {
    signal.removeEventListener("abort", stop);
    transport.close();
  }
}

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
  return problem(refused ? "SEND_REFUSED" : "NOT_SENT", `${host}: ${scrub(said.replaceAll(/\s+/g, " "))}`);
}
