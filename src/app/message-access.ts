import { problem } from "../engine/errors.ts";
import { Secret } from "../engine/secret.ts";
import { failure, type Result, success } from "../term/output.ts";
import type { Call } from "./command.ts";
import type { MessageAccess } from "./options.ts";
import { pathOf } from "./path-of.ts";
import { secretFile } from "./secret-file.ts";

/** What the flags about messages come to: none is mandatory. Fails with `MESSAGE_FILE`, before anything is sent. */
export function messageAccess(call: Call): Result<MessageAccess> {
  const slack = linesOf(call, "slack", 1);
  if (!slack.ok) return slack;
  const webhook = linesOf(call, "webhook", 2);
  if (!webhook.ok) return webhook;
  const mail = linesOf(call, "mail", 3);
  if (!mail.ok) return mail;
  const [url, secret] = webhook.value;
  const [server, from, to] = mail.value;
  return success({
    ...(slack.value[0] === undefined ? {} : { slack: new Secret(slack.value[0]) }),
    ...(url === undefined || secret === undefined ? {} : { webhook: { url, secret: new Secret(secret) } }),
    ...(server === undefined || from === undefined || to === undefined
      ? {}
      : { mail: { ...mailServer(server), from, to } }),
  });
}

const WHAT = {
  slack: "the address of an incoming webhook",
  webhook: "an address, then on a line of its own the secret that bodies are signed with",
  mail:
    "smtps://user:password@mail.example (a % in user or password written as %25), then the sender, then who gets it, " +
    "each on a line of its own",
} as const;

/** Address and password apart: the address is told when the server is out of reach. */
function mailServer(address: string): { readonly server: string; readonly password?: Secret } {
  const url = new URL(address);
  const password = decodeURIComponent(url.password);
  url.password = "";
  return { server: url.href, ...(password === "" ? {} : { password: new Secret(password) }) };
}

/** The first lines of the file that a flag names; nothing without the flag. The first is an address. */
function linesOf(call: Call, flag: keyof typeof WHAT, count: number): Result<readonly string[]> {
  const given = call.given.text(flag);
  if (given === undefined) return success([]);
  const file = pathOf(call, given);
  const text = secretFile(file);
  if (!text.ok) return failure(problem("MESSAGE_FILE", text.error.message));
  const lines = text.value
    .reveal()
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const [address] = lines;
  if (lines.length >= count && address !== undefined && isAddress(flag, address)) return success(lines);
  return failure(problem("MESSAGE_FILE", `${file} (--${flag}): expected ${WHAT[flag]}`));
}

/** What is sent tells what runs where, so nobody may listen on the way: plain http is for this machine only. */
function isAddress(flag: keyof typeof WHAT, text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (flag === "mail")
    return (protocol === "smtps:" || protocol === "smtp:") && hostname !== "" && [username, password].every(isEscaped);
  return protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname));
}

/** Whether it can be read back: each % stands before two digits that are a character's. */
function isEscaped(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
