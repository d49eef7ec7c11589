// Mail to a small SMTP server of our own, which says what it is told to.
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Sender, Told } from "../../../src/engine/effects/sender.ts";
import type { Json } from "../../../src/engine/json.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { type Ending, mailSender } from "../../../src/plugins/messages/index.ts";

const ENDING: Ending = {
  term: "acme/shop/deploy",
  repo: "acme/shop",
  branch: "live",
  commit: "c0ffee00c0ffee",
  place: "shop_web",
  state: "failed",
  quiet: false,
  why: "it went back\nBcc: everybody@example.org",
};

let server: Server;
let port: number;
let heard: string[];
/** Answers by the line or the verb that they are for; default: yes. */
let says: Record<string, string>;

beforeEach(async () => {
  heard = [];
  says = {};
  server = createServer(talk).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  port = typeof address === "object" ? (address?.port ?? 0) : 0;
});
afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())));

function talk(socket: Socket): void {
  let rest = "";
  let inMail = false;
  socket.write("220 mail.example\r\n");
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    const lines = (rest + chunk.toString()).split("\r\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      heard.push(line);
      if (inMail && line !== ".") continue;
      const verb = inMail ? "END" : (line.split(/[ :]/)[0] ?? "").toUpperCase();
      inMail = verb === "DATA" && says["DATA"] === undefined;
      const usual = { DATA: "354 go on", EHLO: "250-mail.example\r\n250 AUTH PLAIN", AUTH: "235 ok", QUIT: "221 bye" }[
        verb
      ];
      socket.write(`${says[line] ?? says[verb] ?? usual ?? "250 ok"}\r\n`);
      if (verb === "QUIT") socket.end();
    }
  });
}

function senderTo(address: string, to = "a@example.org, b@example.org"): Sender<Ending> {
  const people = { from: "Millrace <m@example.org>", to };
  return mailSender({ server: address, password: new Secret("pass/word"), ...people }, "https://deploy.example");
}

const send = (
  address = `smtp://ann@127.0.0.1:${port}`,
  sender = senderTo(address),
  ending = ENDING,
  confirmed?: Json,
): Promise<Told> => sender.send(ending, confirmed, new AbortController().signal, false);

it("reaches everybody, as one line of subject, with the same id each time", async () => {
  expect(await send()).toMatchObject({ ok: true });
  const first = heard.filter((line) => line.startsWith("Message-ID"));
  expect(heard.filter((line) => line.startsWith("RCPT"))).toEqual([
    "RCPT TO:<a@example.org>",
    "RCPT TO:<b@example.org>",
  ]);
  expect(heard.filter((line) => line.startsWith("Bcc"))).toEqual(["Bcc: everybody@example.org"]); // of the text
  expect(heard.indexOf("Bcc: everybody@example.org")).toBeGreaterThan(heard.indexOf(""));
  const plain = Buffer.from("\0ann\0pass/word").toString("base64");
  expect(heard).toContain(`AUTH PLAIN ${plain}`);
  heard = [];
  await send();
  expect(heard.filter((line) => line.startsWith("Message-ID"))).toEqual(first);
});

it.each([
  ["RCPT", "550 no such mailbox", "SEND_REFUSED"],
  ["RCPT", "450 try again later", "NOT_SENT"],
  ["AUTH", "535 wrong: pass/word", "SEND_REFUSED"],
  ["DATA", "421 going down", "NOT_SENT"],
] as const)("%s answered with %s is %s, without the password", async (verb, answer, code) => {
  says[verb] = answer;
  const result = await send();
  expect(result).toMatchObject({ ok: false, error: { code } });
  expect(JSON.stringify(result)).not.toContain("pass/word");
});

const readers = (): readonly string[] => heard.filter((line) => line.startsWith("RCPT"));

it.each([
  ["451 <b@example.org>: greylisted", "NOT_SENT"],
  ["550 5.1.1 <b@example.org>: no such mailbox", "SEND_REFUSED"],
] as const)(
  "one of two answered with %s is %s, and only that one is tried again, by any process",
  async (answer, code) => {
    says["RCPT TO:<b@example.org>"] = answer;
    let kept: Json | undefined;
    for (const whom of [["RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>"], ["RCPT TO:<b@example.org>"]]) {
      heard = [];
      const result = await send(undefined, undefined, ENDING, kept); // a sender of its own each time
      expect(result).toMatchObject({ ok: false, error: { code } });
      expect(JSON.stringify(result)).toContain("not to 1 of 2 readers: 127.0.0.1");
      expect(readers()).toEqual(whom);
      kept = result.kept ?? kept;
    }
    const others = await send(undefined, undefined, { ...ENDING, commit: "another" }, kept);
    expect(others).toMatchObject({ ok: false });
    expect(readers().slice(-2)).toEqual(["RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>"]);
    says = {};
    heard = [];
    expect(await send(undefined, undefined, ENDING, kept)).toEqual({
      ok: true,
      value: { state: "failed", running: "" },
    });
    expect(heard.filter((line) => line.startsWith("To:"))).toEqual(["To: a@example.org, b@example.org"]);
    expect(readers()).toEqual(["RCPT TO:<b@example.org>"]);
  },
);

it("knows who got it, however the address is written", async () => {
  const address = `smtp://ann@127.0.0.1:${port}`;
  const to = 'team: "Ann, A." <Ann@Exämple.ORG>, "b@x"@example.org; c@example.org';
  says["RCPT TO:<c@example.org>"] = "451 later";
  const { kept } = await send(address, senderTo(address, to));
  expect(readers()).toHaveLength(3);
  heard = [];
  await send(address, senderTo(address, to), ENDING, kept);
  expect(readers()).toEqual(["RCPT TO:<c@example.org>"]);
});

it.each([["RCPT TO:<b@example.org>"], ["RCPT"]])("whom it is for is not said when %s is refused", async (what) => {
  says[what] = "550 5.1.1 <b@example.org>: b@example.org is no mailbox";
  const result = await send();
  expect(result.ok ? "" : result.error.message).toMatch(/^not to [12] of 2 readers: .*\(address\)/);
  expect(JSON.stringify(result)).not.toMatch(/[ab]@example/);
});

it("tells who heard of a failure that it works again, and says so to the others too", async () => {
  const good: Ending = { ...ENDING, state: "ok", running: "v1", quiet: true };
  says["RCPT TO:<b@example.org>"] = "451 later";
  const failed = await send(undefined, undefined, ENDING, { state: "ok", running: "v1" });
  heard = [];
  const again = await send(undefined, undefined, good, failed.kept);
  expect(heard.join("\n")).toContain("works again");
  says = {};
  heard = [];
  expect(await send(undefined, undefined, good, again.kept)).toMatchObject({ ok: true });
  expect([readers(), heard.join("\n")]).toEqual([["RCPT TO:<b@example.org>"], expect.stringContaining("works again")]);
});

it("is not sent over an open line to another machine, and waits for one that is down", async () => {
  expect(await send(`smtp://127.0.0.2:${port}`)).toMatchObject({ ok: false, error: { code: "NOT_SENT" } });
  expect(heard.filter((line) => line.startsWith("MAIL"))).toEqual([]);
  expect(await send("smtp://127.0.0.1:1")).toMatchObject({ ok: false, error: { class: "transient" } });
});
