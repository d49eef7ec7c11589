import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import type { Hint } from "../../../src/engine/inbound.ts";
import type { Delivery, Receipt } from "../../../src/engine/inbox.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { githubDoor } from "../../../src/plugins/github/webhooks.ts";
import { TestClock } from "../../../src/testing/index.ts";

const KEY = "a webhook's secret";
const APP = 42;
const sign = (body: string | Buffer, key = KEY): string =>
  `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;

/** A door with an inbox that notes what it is given. */
function opened(receipt: Receipt = "taken") {
  const taken: Delivery[] = [];
  const receive = async (delivery: Delivery): Promise<Receipt> => {
    taken.push(delivery);
    return receipt;
  };
  const lines: string[] = [];
  const clock = new TestClock();
  const report = (line: string): void => void lines.push(line);
  const door = githubDoor({ secret: new Secret(KEY), inbox: { receive }, appId: APP, clock, report });
  const send = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}) =>
    door.receive(
      { "x-github-delivery": "d-1", "x-github-event": "push", "x-hub-signature-256": sign(body), ...headers },
      Buffer.from(body),
    );
  return { door, taken, send, lines, clock };
}

const repository = { id: 7, full_name: "acme/web" };
const body = JSON.stringify({ repository });

describe("the signature", () => {
  it.each([
    ["none", ""],
    ["sha1", "sha1=0123456789012345678901234567890123456789"],
    ["cut short", sign(body).slice(0, -1)],
    ["upper case", sign(body).toUpperCase().replace("SHA256", "sha256")],
    ["two of them", `${sign(body)}, ${sign(body)}`],
    ["another secret's", sign(body, "guess")],
    ["another body's", sign(`${body} `)],
  ])("that is %s is refused, and nothing is read", async (_name, signature) => {
    const { send, taken, door } = opened();
    expect(await send(body, { "x-hub-signature-256": signature })).toMatchObject({ status: 401 });
    expect(taken).toEqual([]);
    expect(door.counts()).toEqual([{ kind: "other", outcome: "refused", count: 1 }]);
  });

  it("is over the bytes as they came: the same JSON written otherwise is another body", async () => {
    const { door } = opened();
    const headers = { "x-github-delivery": "d", "x-github-event": "push", "x-hub-signature-256": sign(body) };
    expect(await door.receive(headers, Buffer.from(JSON.stringify(JSON.parse(body), null, 1)))).toMatchObject({
      status: 401,
    });
    expect(await door.receive(headers, Buffer.from(body))).toMatchObject({ status: 202 });
  });

  it("that cannot be one is refused before the body is read", () => {
    const { door } = opened();
    expect(door.refuses({})).toMatchObject({ status: 401 });
    expect(door.refuses({ "x-hub-signature-256": "sha256=zz" })).toMatchObject({ status: 401 });
    expect(door.refuses({ "x-hub-signature-256": sign(body) })).toBeUndefined();
  });

  it("that is wrong is said in one line an hour, which tells neither the body nor what would be right", async () => {
    const { door, send, lines, clock } = opened();
    for (let count = 0; count < 100; count += 1) {
      await send(body, { "x-hub-signature-256": sign(body, "guess") });
      door.refuses({});
      await clock.advance(1_000);
    }
    expect(lines).toEqual([expect.stringContaining("(1 since this was last said)")]);
    await clock.advance(60 * 60_000);
    door.refuses({});
    expect(lines.slice(1)).toEqual([expect.stringContaining("(200 since this was last said)")]);
    for (const part of ["acme", sign(body).slice(7), sign(body, "guess").slice(7), KEY])
      expect(lines.join()).not.toContain(part);
  });

  it("of one body is no other's, although both are read as the same text", async () => {
    const [said, sent] = ["\u{fffd}", Buffer.from([0xff])].map((middle) =>
      Buffer.concat([
        Buffer.from('{"repository":{"id":7,"full_name":"acme/web"},"x":"'),
        Buffer.from(middle),
        Buffer.from('"}'),
      ]),
    );
    if (said === undefined || sent === undefined) throw new Error("two bodies");
    expect(said.toString()).toBe(sent.toString());
    const { send, taken } = opened();
    expect(await send(sent, { "x-hub-signature-256": sign(said) })).toMatchObject({ status: 401 });
    expect(taken).toEqual([]);
    expect(await send(said)).toMatchObject({ status: 202 });
  });

  it("of bytes that are no text is a signature all the same; they are no JSON", async () => {
    expect(await opened().send(Buffer.from([0x22, 0xff, 0xfe, 0x22]))).toMatchObject({ status: 400 });
  });
});

describe("what is signed but odd", () => {
  it.each<[string, string, Readonly<Record<string, string>>?]>([
    ["2 million lists in each other", "[".repeat(2_000_000)],
    ["no JSON", "nonsense"],
    ["a name of a delivery that is none", body, { "x-github-delivery": "a b" }],
    ["an event that is none", body, { "x-github-event": "../push" }],
  ])("%s: refused", async (_name, text, headers = {}) => {
    const { send, taken } = opened();
    expect(await send(text, headers)).toMatchObject({ status: 400 });
    expect(taken).toEqual([]);
  });

  it.each([
    ["fields of wrong types", { repository: 5, commits: "x" }],
    ["a list", []],
    ["null", null],
    ["a name that leads elsewhere", { repository: { id: 7, full_name: "../.." } }],
    ["an id that is no number", { repository: { id: "7", full_name: "acme/web" } }],
  ])("%s: taken and left alone", async (_name, payload) => {
    const { send, taken } = opened();
    expect(await send(JSON.stringify(payload))).toMatchObject({ status: 202 });
    expect(taken.map(({ hint }) => hint)).toEqual([undefined]);
  });

  it("changes no prototype", async () => {
    const { send } = opened();
    const text = `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"repository":${JSON.stringify(repository)},"n":1e400,"s":"\\ud800\\u0000"}`;
    expect(await send(text)).toMatchObject({ status: 202 });
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  it.each([
    ["300,000 lists in each other", `${"[".repeat(300_000)}${"]".repeat(300_000)}`],
    ["300,000 objects in each other", `${'{"a":'.repeat(300_000)}1${"}".repeat(300_000)}`],
    ["300,000 names of one field", `{${'"a":1,'.repeat(300_000)}"a":1}`],
  ])("%s: what is beside it is read", async (_name, pad) => {
    const { send, taken } = opened();
    const text = `{"repository":{"id":1,"full_name":"evil/twin"},"pad":${pad},"repository":${JSON.stringify(repository)}}`;
    expect(await send(text)).toMatchObject({ status: 202 });
    expect(taken.map(({ hint }) => hint)).toEqual([{ kind: "refs", repository: 7, name: "acme/web" }]);
  });

  it("an event that nobody knows is counted with the others of its kind", async () => {
    const { send, door } = opened();
    await send(body, { "x-github-event": "something_new" });
    expect(door.counts()).toEqual([{ kind: "other", outcome: "ignored", count: 1 }]);
  });
});

const sha = "a".repeat(40);
const run = { head_sha: sha, external_id: "2026-11-21/070000-docker-build-a", app: { id: APP } };
const said = { id: 9, user: { id: 1, login: "alice" }, body: "/approve" };
const hints: readonly [string, string, object, Hint | undefined][] = [
  ["a push", "push", { ref: "refs/heads/x" }, { kind: "refs", repository: 7, name: "acme/web" }],
  ["a new branch", "create", {}, { kind: "refs", repository: 7, name: "acme/web" }],
  ["a pull request", "pull_request", { number: 1 }, { kind: "refs", repository: 7, name: "acme/web" }],
  ["a rename", "repository", { action: "renamed" }, { kind: "refs", repository: 7, name: "acme/web" }],
  [
    "Re-run of a check",
    "check_run",
    { action: "rerequested", check_run: run },
    { kind: "rerequested", repository: 7, commit: sha, job: run.external_id },
  ],
  [
    "Re-run by somebody",
    "check_run",
    { action: "rerequested", check_run: run, sender: { id: 1, login: "alice", site_admin: true } },
    { kind: "rerequested", repository: 7, commit: sha, job: run.external_id, author: { id: 1, login: "alice" } },
  ],
  [
    "our button of a check",
    "check_run",
    { action: "requested_action", requested_action: { identifier: "rebuild" }, check_run: run },
    { kind: "rerequested", repository: 7, commit: sha, job: run.external_id },
  ],
  [
    "another button",
    "check_run",
    { action: "requested_action", requested_action: { identifier: "x" }, check_run: run },
    undefined,
  ],
  ["a check of another app", "check_run", { action: "rerequested", check_run: { ...run, app: { id: 1 } } }, undefined],
  [
    "Re-run of all checks",
    "check_suite",
    { action: "rerequested", check_suite: { head_sha: sha, app: { id: APP } } },
    { kind: "rerequested", repository: 7, commit: sha },
  ],
  ["an installation", "installation", {}, { kind: "installations" }],
  [
    "a comment on a pull request",
    "issue_comment",
    { action: "created", issue: { number: 3, pull_request: {} }, comment: said },
    { kind: "comment", repository: 7, pull: 3, comment: 9, author: { id: 1, login: "alice" }, body: "/approve" },
  ],
  [
    "an edited comment",
    "issue_comment",
    { action: "edited", issue: { number: 3, pull_request: {} }, comment: said },
    undefined,
  ],
  ["a comment on an issue", "issue_comment", { action: "created", issue: { number: 3 }, comment: said }, undefined],
  ["a star", "star", {}, undefined],
];

describe("what it comes down to", () => {
  it.each(hints)("%s", async (_name, event, payload, expected) => {
    const { send, taken } = opened();
    expect(await send(JSON.stringify({ ...payload, repository }), { "x-github-event": event })).toMatchObject({
      status: 202,
    });
    expect(taken.map(({ hint }) => hint)).toEqual([expected]);
  });
});

const file = createRequire(import.meta.url).resolve("@octokit/webhooks-examples/api.github.com/index.json");

/** Each event with its sample payloads. */
function* samples(): Iterable<readonly [event: string, payload: unknown]> {
  const read: unknown = JSON.parse(readFileSync(file, "utf8"));
  for (const kind of listOf(read)) {
    const name: unknown = Reflect.get(Object(kind), "name");
    const examples: unknown = Reflect.get(Object(kind), "examples");
    for (const example of listOf(examples)) yield [String(name), example];
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

it("takes every payload that GitHub has published", async () => {
  const { send, taken } = opened();
  const forUs = new Set<string>();
  for (const [event, payload] of samples()) {
    expect(await send(JSON.stringify(payload), { "x-github-event": event })).toMatchObject({ status: 202 });
    if (taken.at(-1)?.hint !== undefined) forUs.add(event);
  }
  expect(taken.length).toBeGreaterThan(250);
  expect([...forUs].toSorted()).toMatchSnapshot();
});

it("says 503 while nothing can be stored, so that it is sent again", async () => {
  expect(await opened("full").send(body)).toMatchObject({ status: 503 });
});
